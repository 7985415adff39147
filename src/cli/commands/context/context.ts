import { resolve } from 'node:path'
import { nameSchema } from '../../../../protocols/service.ts'
import { InputError } from '../../../base/errors.ts'
import { loadEndpoint } from '../../../config/index.ts'
import type { Cli } from '../../cli.ts'
import { originOf } from '../../client/node-client.ts'
import { argument, command } from '../../command.ts'
import { type Context, findContext, readContexts, writeContexts } from '../../contexts/store.ts'
import { table } from '../../output/output.ts'

const name = argument('NAME', 'its name: lower-case letters, digits, ".", "_" and "-"')

export const contextAdd = command({
  name: 'context add',
  summary: 'Give a node a name, under which --context finds it',
  details: [
    'The node is that of --dir, or that of --api and --token-file. The token stays in its file. A context of this name is replaced.',
    'Example: thundercloud context add far --api https://node.example.org:4981 --token-file far.token',
  ].join('\n'),
  args: { name },
  options: {},
  async run(cli, { name }) {
    const problem = nameSchema.safeParse(name).error?.issues[0]?.message
    if (problem !== undefined) throw new InputError(`NAME is ${JSON.stringify(name)}; it ${problem}`)
    const context = await namedNode(cli)
    const { contexts, inUse } = await readContexts(cli.env)
    await writeContexts(cli.env, { inUse, contexts: { ...contexts, [name]: context } })
    cli.out.result({ name, ...context }, () => [
      `${name} is ${whereOf(context)}. Use it once with --context ${name}, or from now on:`,
      `  thundercloud context use ${name}`,
    ])
  },
})

export const contextLs = command({
  name: 'context ls',
  summary: 'List the nodes that have a name; * is the one in use',
  args: {},
  options: {},
  async run({ env, out }) {
    const { contexts, inUse } = await readContexts(env)
    const all = Object.entries(contexts).toSorted(([a], [b]) => (a < b ? -1 : 1))
    const rows = all.map(([name, context]) => ({ name, inUse: name === inUse, ...context }))
    out.result({ contexts: rows }, () =>
      all.length === 0
        ? ['No contexts. `thundercloud context add NAME --dir DIR` makes one.']
        : table(
            ['', 'NAME', 'NODE'],
            all.map(([name, context]) => [name === inUse ? '*' : '', name, whereOf(context)]),
          ),
    )
  },
})

export const contextUse = command({
  name: 'context use',
  summary: 'Take this node where a command names none, and the current folder is none',
  args: { name },
  options: {},
  async run({ env, out }, { name }) {
    const { contexts, inUse: before } = await readContexts(env)
    const context = findContext({ contexts }, name)
    await writeContexts(env, { contexts, inUse: name })
    out.result({ name, before: before ?? null }, () => [`Commands that name no node ask ${whereOf(context)}.`])
  },
})

export const contextRm = command({
  name: 'context rm',
  summary: 'Forget the name of a node; nothing happens to the node',
  args: { name },
  options: {},
  async run({ env, out }, { name }) {
    const { contexts, inUse } = await readContexts(env)
    findContext({ contexts }, name)
    const { [name]: _gone, ...left } = contexts
    await writeContexts(env, { contexts: left, ...(inUse !== name && { inUse }) })
    out.result({ name, wasInUse: inUse === name }, () => [
      `${name} is forgotten.${inUse === name ? ' No context is in use now.' : ''}`,
    ])
  },
})

async function namedNode({ globals, cwd, env, signal }: Cli): Promise<Context> {
  const { dir, api, tokenFile } = globals
  if (api !== undefined && dir === undefined) {
    return { api: originOf(api), ...(tokenFile !== undefined && { tokenFile: resolve(cwd, tokenFile) }) }
  }
  if (dir === undefined || api !== undefined || tokenFile !== undefined) {
    throw new InputError('name the node by --dir DIR, or by --api URL with --token-file FILE')
  }
  // a folder of a node, and no other
  await loadEndpoint(resolve(cwd, dir), { env, signal })
  return { dir: resolve(cwd, dir) }
}

function whereOf(context: Context): string {
  if ('dir' in context) return `the node of ${context.dir}`
  return `the node at ${context.api}${context.tokenFile === undefined ? ', without a token' : ''}`
}
