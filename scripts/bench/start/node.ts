import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { formatAddress } from '../../../protocols/address.ts'
import type { ExecutorName } from '../../../src/base/verdict.ts'
import type { ThundercloudNode } from '../../../src/node/index.ts'
import { addFolder, announce, bytesOf, type createWorld, newSigner } from '../../../test/fixtures/node/nodes.ts'
import { LINE } from './baselines.ts'

const PATIENCE_MS = 60_000
const LIMITS = { TOTAL: { MEMORY: '1GiB', CPU: '4', DISK: '512MiB', PIDS: 512, RUNS: 4 } }
const STEPS = ['fetching', 'starting', 'running'] as const

/** Until the verdict was there, until each step was journalled, and until its first line could be read; ms. */
export type Start = { readonly verdict: number; readonly line: number } & Readonly<
  Partial<Record<(typeof STEPS)[number], number>>
>

export type StartNode = {
  /** Adds a folder with so many files, and answers what starts a new service with that code. */
  prepare(files: number): Promise<{ start(): Promise<Start>; dir: string }>
}

type World = Awaited<ReturnType<typeof createWorld>>

/** A whole node that runs all in one executor. */
export async function openNode(world: World, executor: ExecutorName): Promise<StartNode> {
  const author = newSigner()
  const TRUST_TREE = { ROOTS: { [formatAddress(author.address)]: {} } }
  const PREFER_TOOLCHAIN = { [executor]: ['node.js'] }
  const node = await world.start(executor, { runner: { LIMITS, PREFER_TOOLCHAIN, TRUST_TREE } })
  let services = 0
  return {
    async prepare(files) {
      const dir = await writeCode(world, executor, files)
      const code = await addFolder(node, dir)
      const start = () => measure(node, bytesOf(announce(author, serviceOf(code, `start-${services++}`))))
      // unpacks the code, makes the image, and learns what the machine can do
      await start()
      return { start, dir }
    },
  }
}

function serviceOf(code: string, name: string) {
  return { code, name, depth: 1, run: { command: ['node', 'main.js'], kind: 'task' } }
}

async function writeCode({ root }: World, executor: ExecutorName, files: number): Promise<string> {
  const dir = join(root, `code-${executor}-${files}`)
  await mkdir(dir)
  await writeFile(join(dir, 'main.js'), `console.log('${LINE}')\n`)
  for (let file = 1; file < files; file++) {
    const below = join(dir, `${file % 50}`)
    await mkdir(below, { recursive: true })
    await writeFile(join(below, `${file}.js`), `module.exports = ${file}\n`)
  }
  return dir
}

/** From the announcement's bytes to the first line of output that a reader of the log has. */
async function measure(node: ThundercloudNode, bytes: Uint8Array): Promise<Start> {
  const at: Record<string, number> = {}
  const over = Promise.withResolvers<void>()
  const logged = Promise.withResolvers<void>()
  const fail = (error: Error) => {
    over.reject(error)
    logged.reject(error)
  }
  for (const { promise } of [over, logged]) promise.catch(() => {})
  const late = setTimeout(
    () => fail(new Error(`no line came within ${PATIENCE_MS / 1000} s: ${JSON.stringify(at)}`)),
    PATIENCE_MS,
  )
  const began = performance.now()
  using _verdict = node.events.on('node:verdict', ({ verdict }) => {
    at.verdict = performance.now() - began
    if (verdict.run === false) fail(new Error(`the node does not run it: ${JSON.stringify(verdict.reasons)}`))
  })
  using _states = node.events.on('execution:state', ({ service, state, detail }) => {
    at[state] ??= performance.now() - began
    if (state === 'fetching') readFirst(node, service).then(logged.resolve, logged.reject)
    if (state === 'exited') over.resolve()
    if (state === 'failed' || state === 'refused') fail(new Error(`the run is ${state}: ${detail}`))
  })
  try {
    const received = await node.receive(bytes, { asPublisher: false })
    if (received.outcome !== 'new') throw new Error(`the node answered ${JSON.stringify(received)}`)
    await logged.promise
    const line = performance.now() - began
    await over.promise
    const { verdict = 0 } = at
    return { ...Object.fromEntries(STEPS.map((step) => [step, at[step]])), verdict, line }
  } finally {
    clearTimeout(late)
  }
}

async function readFirst(node: ThundercloudNode, service: string): Promise<void> {
  for await (const { stream, line } of node.logs(service, { tail: 100, follow: true })) {
    if (stream === 'out' && line === LINE) return
  }
  throw new Error('the log ended without its first line')
}
