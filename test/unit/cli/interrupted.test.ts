import { cpSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { InterruptedError } from '../../../src/cli/errors.ts'
import { test as base, type ShellWithNode, withPeers } from '../../fixtures/program/shell.ts'

const HELLO = fileURLToPath(new URL('../../../configs/examples/hello-web', import.meta.url))
const test = base.extend('shell', ({ withNode }) => {
  cpSync(HELLO, withNode.path('hello'), { recursive: true })
  return withNode
})

const follow = 'see it with `thundercloud status hello-web`, end it with `thundercloud stop hello-web`.'
type Interrupt = (node: ShellWithNode['node'], leave: () => void) => void
/** The call of the node does not end before the command has. */
const during =
  (call: 'addArchive' | 'receive'): Interrupt =>
  (node, leave) => {
    const never = () => {
      leave()
      return new Promise<never>(() => {})
    }
    Object.assign(node, { [call]: never })
  }
const underWay: Interrupt = (node, leave) => {
  for (const view of node.services()) node.put({ ...view, state: 'running' })
  const { services } = node
  node.services = () => services().map((view) => ({ ...view, state: 'running' }))
  const { service } = node
  node.service = (id) => {
    leave()
    return { ...service(id), state: 'running' }
  }
}

test.for<[string, string, Interrupt, boolean | null, string]>([
  ['publish hello', 'packing', during('addArchive'), false, 'Nothing was announced: the service is not published.'],
  ['update hello', 'packing', during('addArchive'), false, 'Nothing was announced: the current version keeps running.'],
  [
    'update hello --replace',
    'the end of the version before',
    underWay,
    false,
    'The previous version is stopped, and the next one is not announced: announce it again with `thundercloud update hello`.',
  ],
  [
    'publish hello',
    'announcing',
    during('receive'),
    null,
    `It is not known whether "hello-web" was announced: ${follow}`,
  ],
  ['publish hello --wait', 'waiting', () => {}, true, `"hello-web" stays published: ${follow}`],
])('%s: Ctrl-C during %s says in one sentence what is so, and ends with 130', async (row, { shell }) => {
  const [line, , interrupt, published, sentence] = row
  await shell.run('key new')
  if (line.startsWith('update')) await shell.run('publish hello')
  const { announcements } = shell.node
  for (const json of [true, false]) {
    const leave = new AbortController()
    const abort = () => leave.abort(new InterruptedError('interrupted', 130))
    interrupt(shell.node, abort)
    const options = { signal: leave.signal, onOutput: (text: string) => text.includes('ublished') && abort() }
    const { code, stdout, stderr } = await shell.run(json ? `${line} --json` : line, options)
    expect(code).toBe(130)
    if (json) expect(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')).toMatchObject({ event: 'left', published })
    else expect(stderr).toBe(`${sentence}\n`)
    if (published) await shell.run('stop hello-web')
  }
  expect(announcements.filter(({ signed }) => signed.kind === 'service').length).toBeLessThanOrEqual(2)
})

const JOIN = '--join /ip4/127.0.0.1/tcp/1/p2p/12D3KooWKdFbtARowGh3BbQQqrkEAqsk6NgaYJEW1Xm1mKvH6niH'

test('publish --join: Ctrl-C while it joins ends the attempt; while it serves the code, the sentence says what is missing', async ({
  shell,
}) => {
  const { factories } = withPeers()
  const leave = new AbortController()
  const joining = shell.run(`publish hello ${JOIN}`, {
    signal: leave.signal,
    factories: {
      async lightPeer(_components, { signal }) {
        queueMicrotask(() => leave.abort(new InterruptedError('interrupted', 130)))
        return await new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))
      },
    },
  })
  const sentence = 'Nothing was announced: the service is not published.\n'
  expect(await joining).toMatchObject({ code: 130, stderr: expect.stringContaining(sentence) })

  const serving = new AbortController()
  const served = await shell.run(`publish hello ${JOIN} --replicas 2`, {
    ...{ factories, signal: serving.signal },
    onOutput: () => serving.abort(new InterruptedError('interrupted', 130)),
  })
  expect(served.code).toBe(130)
  expect(served.stderr).toBe(
    `"hello-web" stays published, but its code was served from here, and 0 of 2 wanted nodes hold it: announce it again with \`thundercloud update hello\`, ${follow.slice(0, -1)} (each with \`${JOIN}\`).\n`,
  )
})
