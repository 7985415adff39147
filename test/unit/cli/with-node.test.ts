import { appendFileSync, cpSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, vi } from 'vitest'
import { decodeAddress, formatAddress } from '../../../protocols/address.ts'
import { timeWindowError } from '../../../protocols/announcement.ts'
import { nowSeconds, systemClock } from '../../../src/base/clock.ts'
import { InterruptedError } from '../../../src/cli/errors.ts'
import { newSigner } from '../../fixtures/node/fake-node.ts'
import { test as base } from '../../fixtures/program/shell.ts'

const NONE = { mode: 'none' } as const

const HELLO = fileURLToPath(new URL('../../../configs/examples/hello-web', import.meta.url))

const test = base.extend('shell', ({ withNode }) => {
  cpSync(HELLO, withNode.path('hello'), { recursive: true })
  return withNode
})

test("publish: uploads the code, signs with the author's key, announces, and remembers", async ({ shell }) => {
  const { code, values, stderr } = await shell.json('publish hello')
  expect([code, stderr]).toEqual([0, ''])
  const [{ signed, ticket }] = shell.node.announcements as [(typeof shell.node.announcements)[number]]
  const id = signed.id.toString()
  const [archive] = shell.node.archives.keys()
  const packed = { code: archive, size: 4096, files: 2 }
  expect(values).toEqual([{ event: 'published', id, name: 'hello-web', seq: 1, depth: ticket.depth, ...packed }])
  expect([...shell.node.published]).toEqual([id])
  expect(signed.kind === 'service' && signed.body.replyTo).toEqual(shell.node.multiaddrs())
  expect(timeWindowError(signed.body, nowSeconds(systemClock()))).toBeUndefined()
  const versions = JSON.parse(readFileSync(shell.path('settings/thundercloud/published.json'), 'utf8')) as object
  const author = formatAddress(decodeAddress(signed.body.author))
  expect(versions).toMatchObject({ test: { [author]: { 'hello-web': { seq: 1, state: 'announced', id } } } })
  expect(statSync(shell.path('settings/thundercloud/author.pem')).mode & 0o777).toBe(0o600)
})

test('publish: says where a new key is, once', async ({ shell }) => {
  expect((await shell.run('publish hello')).stderr).toContain(shell.path('settings/thundercloud/author.pem'))
  expect((await shell.run('update hello')).stderr).toBe('')
})

test('publish: a name is published once; update takes the next number', async ({ shell }) => {
  await shell.run('publish hello')
  await shell.refused('publish hello', 'use `thundercloud update`')
  appendFileSync(shell.path('hello/server.js'), '\n// next\n')
  const { values } = await shell.json('update hello/service.json --replicas 2')
  expect(values[0]).toMatchObject({ seq: 2 })
  expect(shell.node.service('hello-web')).toMatchObject({ seq: 2, replicas: 2 })
  expect(shell.node.archives.size).toBe(2)
})

test("publish: the node's knowledge counts where this machine has forgotten", async ({ shell }) => {
  await shell.run('publish hello')
  writeFileSync(shell.path('settings/thundercloud/published.json'), '{}')
  expect((await shell.run('publish hello')).code).toBe(2)
  expect((await shell.json('update hello')).values[0]).toMatchObject({ seq: 2 })
  await shell.refused('update hello --seq 2', 'must be above 2')
  expect((await shell.json('update hello --seq 7')).values[0]).toMatchObject({ seq: 7 })
})

test('publish: update of what was never published, and a damaged memory, say what to do', async ({ shell }) => {
  expect((await shell.run('update hello')).stderr).toContain('use `thundercloud publish`')
  await shell.run('publish hello')
  writeFileSync(shell.path('settings/thundercloud/published.json'), '{"test":7}')
  await shell.refused('update hello', 'is damaged')
})

test.for<[string, (dir: string) => void, RegExp]>([
  ['nothing there', (dir) => rmSync(dir, { recursive: true }), /neither a folder nor a manifest/],
  ['no manifest', (dir) => rmSync(`${dir}/service.json`), /has no service\.json; write one with/],
  [
    'a wrong manifest',
    (dir) => writeFileSync(`${dir}/service.json`, '{"nam":"x"}'),
    /service\.json: nam .*did you mean name/,
  ],
  ['no JSON', (dir) => writeFileSync(`${dir}/service.json`, '{'), /service\.json is not JSON/],
  [
    'a link among the code',
    (dir) => symlinkSync('/etc/passwd', `${dir}/link`),
    /"link" is a link to "\/etc\/passwd", which is absolute/,
  ],
])('publish: %s is one sentence', async ([_what, prepare, sentence], { shell }) => {
  cpSync(HELLO, shell.path('x'), { recursive: true })
  prepare(shell.path('x'))
  const { code, stderr } = await shell.run('publish x')
  expect([code, shell.node.announcements.length]).toEqual([2, 0])
  expect(stderr.trim().split('\n').at(-1)).toMatch(sentence)
})

test('publish: --wait follows receipts until enough nodes run it', async ({ shell }) => {
  let seen = 0
  const { code, values } = await shell.json('publish hello --wait --replicas 2', {
    onOutput(text) {
      if (!text.includes('"published"') || seen++ > 0) return
      const { id } = shell.node.service('hello-web')
      const [first, second] = [newSigner(), newSigner()]
      setTimeout(() => shell.node.addReceipt(id, 'refused'), 20)
      setTimeout(() => shell.node.addReceipt(id, 'accepted', first), 20)
      setTimeout(() => shell.node.addReceipt(id, 'running', first), 700)
      setTimeout(() => shell.node.addReceipt(id, 'running', second), 900)
    },
  })
  expect(code).toBe(0)
  const words = values.map(({ event, state, nodes }) => state ?? nodes ?? event)
  expect(words).toEqual(['published', 'refused', 'accepted', 'running', 'running', 2])
})

test('publish: --wait ends with one clear line when the time is up', async ({ shell }) => {
  const { code, stderr } = await shell.run('publish hello --wait --timeout 1s', {
    onOutput: () => {
      const [view] = shell.node.services()
      if (view !== undefined && view.receipts.length === 0) shell.node.addReceipt(view.id, 'refused')
    },
  })
  expect(code).toBe(3)
  // its reasons were printed when they came
  const sentence = 'no node runs "hello-web": all that answered refused it or only passed it on, for the reason above'
  expect(stderr.trim().split('\n').at(-1)).toBe(sentence)
})

test('publish: --wait that ends without an answer names what asks for the reason', async ({ shell }) => {
  const { code, stderr } = await shell.run('publish hello --wait --timeout 1s', {
    onOutput: () => {
      const [view] = shell.node.services()
      if (view !== undefined && view.receipts.length === 0) shell.node.addReceipt(view.id, 'accepted')
    },
  })
  expect(code).toBe(5)
  expect(stderr.trim().split('\n').at(-1)).toMatch(
    /\(1 will run it\); `thundercloud status hello-web.*` asks them again$/,
  )
})

test.for([
  [0, 5],
  [1, 4],
] as const)(
  'publish: --wait, where the own run begins again after exit code %i, ends with %i',
  async ([exitCode, ends], { shell }) => {
    const run = {
      runId: 'r',
      executor: 'host',
      state: 'running',
      since: 1,
      restarts: 3,
      exitCode,
      network: NONE,
    } as const
    const { code } = await shell.run('publish hello --wait --timeout 1s', {
      onOutput() {
        for (const view of shell.node.services()) shell.node.put({ ...view, state: 'accepted', run })
      },
    })
    expect(code).toBe(ends)
  },
)

test('publish: the node that is not there is named, and no key is made for nothing', async ({ shell }) => {
  rmSync(shell.path('operator/data/node.pid'))
  await shell.refused('publish hello', /^no node runs in .*\/operator; start it with `thundercloud start /, { code: 3 })
  expect(() => statSync(shell.path('settings'))).toThrow()
})

test('looking: list, status, explain, peers: JSON is whole, a terminal is short, text is safe', async ({ shell }) => {
  const id = await shell.receive(shell.node.signer, 'x')
  shell.node.put({ ...shell.node.service(id), title: 'red \u001b[31m title' })
  expect((await shell.json('list')).values).toEqual([[expect.objectContaining({ id, state: 'redirected' })]])
  const list = await shell.run('list', { terminal: true })
  expect(list.stdout).not.toContain(id)
  expect(list.stdout).toContain(id.slice(0, 16))
  expect((await shell.run('list')).stdout).toContain(id)
  const ask = vi.spyOn(shell.node, 'ask')
  await shell.run('status hello')
  expect(ask).not.toHaveBeenCalled()
  shell.node.addReceipt(id, 'running')
  const status = await shell.run(`status ${id.slice(0, 16)}`)
  expect(ask).toHaveBeenCalledOnce()
  expect(status.stdout).toMatch(/^state: +redirected$/m)
  expect(status.stdout).toMatch(/^received: .* through the API, depth \d$/m)
  expect(status.stdout).toContain('runs it')
  expect(status.stdout).not.toContain('\u001b')
  const explain = await shell.run('explain hello')
  expect(explain.stdout).toMatch(/^not run here, redirected/)
  expect(explain.stdout).toMatch(
    /^FAIL +memory +wants 1 GiB, at most 256 MiB are given +resources\.memory <= 268435456$/m,
  )
  expect((await shell.run('peers')).stdout).toContain('STATIC_NODES')
  expect((await shell.json('peers')).values).toEqual([[]])
  expect((await shell.run('status nothing')).code).toBe(1)
  expect((await shell.run('status nothing')).stderr).toBe('no service "nothing" is known here\n')
})

test('explain: what this node published or SERVICES names is not decided by rules, and nothing is advised', async ({
  shell,
}) => {
  const id = await shell.receive()
  const { explain } = shell.node
  shell.node.explain = async (service) => ({ ...(await explain(service)), from: 'now' })
  const run = { runId: 'r', executor: 'host', state: 'running', since: 1, restarts: 0, network: NONE } as const
  for (const [view, first] of [
    [{ state: 'published' }, 'Published here, not run here: this node runs nothing that is published through it'],
    [{ state: 'running', run }, 'SERVICES in services.json names it: this node runs it, and no rule decides'],
  ] as const) {
    shell.node.put({ ...shell.node.service(id), via: 'local', ...view })
    for (const options of ['', ' --now']) {
      const { stdout } = await shell.run(`explain hello${options}`)
      expect(stdout).toMatch(new RegExp(`^${first}`))
      expect(stdout).toContain('If another node had published it, this node would decide now: not run here')
      expect(stdout).not.toMatch(/What would change it|not decided yet/)
    }
    expect((await shell.json('explain hello')).values[0]).toMatchObject({ advice: [] })
  }
})

test('looking: list leaves out what is over, unless asked', async ({ shell }) => {
  const id = await shell.receive(shell.node.signer)
  await shell.node.stop(id)
  expect((await shell.run('list')).stdout).toContain('--all')
  expect((await shell.run('list -a')).stdout).toContain('stopped')
})

test('looking: logs: the tail, then what comes, tabs kept and escapes not', async ({ shell }) => {
  const id = await shell.receive(shell.node.signer)
  // it runs on this node: its logs are here
  const run = { runId: 'r', executor: 'host', state: 'running', since: 1, restarts: 0, network: NONE } as const
  shell.node.put({ ...shell.node.service(id), run })
  for (const line of ['one', 'two', '\tindented \u001b[2J']) shell.node.addLine(line)
  expect((await shell.run('logs hello --tail 2')).stdout).toBe('two\n\tindented \ufffd[2J\n')
  const leave = new AbortController()
  const following = shell.json('logs hello --tail 0 -f', {
    signal: leave.signal,
    onOutput: () => leave.abort(new InterruptedError('interrupted', 130)),
  })
  const ticking = setInterval(() => shell.node.addLine('later'), 20)
  const { code, values } = await following
  clearInterval(ticking)
  expect([code, values[0]]).toEqual([130, { stream: 'out', at: expect.any(Number), line: 'later' }])
})

test('looking: --api with a token file reaches any node; without a token it says so', async ({ shell }) => {
  const env = { THUNDERCLOUD_DIR: '' }
  const at = `list --api ${shell.url}`
  const file = (name: string) => `--token-file ${shell.path(`operator/${name}`)}`
  expect((await shell.run(`${at} ${file('api.token')}`, { env })).code).toBe(0)
  expect((await shell.run(`${at} --dir ${shell.path('operator')}`, { env })).code).toBe(0)
  await shell.refused(at, 'token is missing', { env, code: 1 })
  await shell.refused(`${at} ${file('node.json')}`, 'has no token', { env })
})

test("stop: of one's own service is signed for the whole mesh, and the name is free again", async ({ shell }) => {
  await shell.run('publish hello')
  expect((await shell.json('stop hello-web')).values).toEqual([
    { id: expect.stringMatching(/^bafy/), name: 'hello-web', scope: 'mesh' },
  ])
  expect(shell.node.announcements.map(({ signed }) => [signed.kind, signed.body.seq])).toEqual([
    ['service', 1],
    ['stop', 1],
  ])
  const again = await shell.run('stop hello-web')
  expect([again.code, again.stdout]).toEqual([0, 'The stop of "hello-web" was announced before; nothing was sent.\n'])
  expect(shell.node.announcements).toHaveLength(2)
  const explained = (await shell.run('explain hello-web')).stdout
  expect(explained).toContain('It is not run any more, whatever the verdict says: its author has stopped it.')
  expect(explained).not.toContain('What would change it')
  expect((await shell.json('publish hello')).values[0]).toMatchObject({ seq: 2 })
})

test("stop: of somebody else's is local; --local keeps one's own stop at home", async ({ shell }) => {
  await shell.receive()
  expect((await shell.json('stop hello')).values[0]).toMatchObject({ scope: 'local' })
  await shell.run('publish hello')
  expect((await shell.json('stop hello-web --local')).values[0]).toMatchObject({ scope: 'local' })
  expect(shell.node.announcements.filter(({ signed }) => signed.kind === 'stop')).toEqual([])
})
