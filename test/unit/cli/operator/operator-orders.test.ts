import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished } from 'vitest'
import { formatAddress, peerIdOf } from '../../../../protocols/address.ts'
import { lockFolder } from '../../../../src/base/os/pid-lock.ts'
import { removeStaleEndpoints } from '../../../../src/cli/client/endpoint.ts'
import { newSigner } from '../../../fixtures/mesh/announcement-of.ts'
import { test } from '../../../fixtures/program/shell.ts'

const other = newSigner()
const ADDRESS = formatAddress(other.address)
const PEER = peerIdOf(other.address)

test('pause: list says so meanwhile, and resume ends it', async ({ withNode: shell }) => {
  expect((await shell.run('pause')).stdout).toMatch(/^The node begins no new run.*`thundercloud resume` ends that/)
  expect((await shell.run('list')).stderr).toMatch(/this node is paused and begins no new run; `thundercloud resume`/)
  for (const resumed of [true, false]) expect((await shell.json('resume')).values).toEqual([{ resumed }])
})

test('block: each kind is listed with its note and end, and the beginning of it undoes it', async ({
  withNode: shell,
}) => {
  expect((await shell.run('block ls')).stdout).toBe('Nothing is blocked.\n')
  const made = await shell.run(`block author ${ADDRESS} --for 7d --note leaked --keep-runs`)
  expect(made.stdout).toMatch(new RegExp(`^The author ${ADDRESS} is blocked until .* UTC; \`thundercloud unblock`))
  await shell.run(`block peer ${PEER}`)
  const { values } = await shell.json('block ls')
  expect(values).toEqual([
    [
      expect.objectContaining({ kind: 'author', subject: ADDRESS, note: 'leaked', keepsRuns: true }),
      expect.objectContaining({ kind: 'peer', subject: PEER, keepsRuns: false }),
    ],
  ])
  expect((await shell.run('block ls')).stdout).toMatch(/author .* in (7d|6d 23h) .* kept +leaked/)
  expect((await shell.json(`unblock ${PEER.slice(0, 20)}`)).values).toEqual([
    { removed: expect.objectContaining({ subject: PEER }) },
  ])
  await shell.refused(`unblock ${PEER}`, `nothing that begins with "${PEER}" is blocked`, { code: 1 })
  await shell.refused('block author nobody', 'author')
})

test('block: says what it replaces, and what was parked and is refused now', async ({ withNode: shell }) => {
  expect((await shell.run(`block author ${ADDRESS} --note leaked`)).stdout).not.toContain('replaces')
  const again = await shell.run(['block', 'author', ADDRESS, '--for', '1d', '--note', 'found again'])
  expect(again.stdout).toMatch(/It replaces the block made .*, which had no end, with the note "leaked"\./)
  expect((await shell.run('block ls')).stdout).toMatch(/found again/)
  const { add } = shell.node.blocks
  const parked = [{ id: 'bafyreibc5fdmlzydzzp4kzfrqu6wplovoyfm4qq6dubs3zzbtnrv43p62y', name: 'web' }]
  Object.assign(shell.node.blocks, { add: (init: Parameters<typeof add>[0]) => ({ ...add(init), parked }) })
  expect((await shell.run(`block author ${ADDRESS}`)).stdout).toMatch(/1 parked service is refused now: "web" bafyrei/)
})

test('explain of a parked service says both where the node is paused and drained', async ({ withNode: shell }) => {
  const id = await shell.receive()
  const parked = { since: 1, until: 9_999_999_999, on: [{ on: 'capacity' }], drained: true, paused: true } as const
  const { explain } = shell.node
  shell.node.put({ ...shell.node.service(id), state: 'parked' })
  Object.assign(shell.node, { explain: async (name: string) => ({ ...(await explain(name)), parked }) })
  const { stdout } = await shell.run('explain hello')
  expect(stdout).toMatch(/until the drain of this node is over .* and this node is resumed \(thundercloud resume\)/)
})

test('block code of a service: explain says how it ends, and unblock takes the same name', async ({
  withNode: shell,
}) => {
  const id = await shell.receive()
  const view = shell.node.service(id)
  expect((await shell.run('block code hello')).code).toBe(0)
  const reasons = [{ rule: 'block', outcome: 'fail', message: 'the operator of this node has blocked its code' }]
  shell.node.put({ ...view, state: 'stopped' })
  const { explain } = shell.node
  Object.assign(shell.node, {
    explain: async (name: string) => ({ ...(await explain(name)), verdict: { run: false, redirect: false, reasons } }),
  })
  const explained = (await shell.run('explain hello')).stdout
  expect(explained).toContain(`thundercloud unblock ${view.code}`)
  expect(explained).not.toContain('It is not run any more')
  expect((await shell.json('unblock hello')).values).toEqual([
    { removed: expect.objectContaining({ kind: 'code', subject: view.code }) },
  ])
  await shell.refused('unblock hello', '"hello" is blocked; `thundercloud block ls` shows what is', { code: 1 })
})

test('explain says that a run goes on beside a block, and peers that peers are blocked', async ({
  withNode: shell,
}) => {
  const id = await shell.receive()
  const view = shell.node.service(id)
  const network = { mode: 'none' } as const
  const run = { runId: id, executor: 'host', state: 'running', since: 1, restarts: 0, network } as const
  shell.node.put({ ...view, state: 'running', run })
  const sentence = 'You have blocked its author, and have let this run go on until it ends.'
  expect((await shell.run('explain hello')).stdout).not.toContain(sentence)
  await shell.run(`block author ${view.author} --keep-runs`)
  expect((await shell.run('explain hello')).stdout).toContain(sentence)
  expect((await shell.run('peers')).stdout).not.toContain('blocked')
  await shell.run(`block peer ${PEER}`)
  expect((await shell.run('peers')).stdout).toMatch(/\n1 peer is blocked; `thundercloud block ls` shows which\.\n$/)
})

test('dashboard: where no node runs, that is what it says', async ({ shell }) => {
  await shell.run('init node --listen /ip4/127.0.0.1/tcp/1 --api 127.0.0.1:2')
  await shell.refused('dashboard --dir node', /^no node runs in/, { code: 3 })
})

test('a program that took the port of a node that is gone does not get its token', async ({ shell }) => {
  const asked: unknown[] = []
  const server = createServer(({ headers }, response) => {
    asked.push(headers.authorization)
    response.end('{}')
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  await shell.run(`init node --listen /ip4/127.0.0.1/tcp/1 --api 127.0.0.1:${port}`)
  await shell.refused('list --dir node', /^no node runs in/, { code: 3 })
  // it was killed, and its folder still says where it listened
  mkdirSync(shell.path('node/data'))
  writeFileSync(shell.path('node/data/node.pid'), `${2 ** 22 + 1} 1\n`)
  writeFileSync(shell.path('node/data/api.url'), `http://127.0.0.1:${port}\n`)
  await shell.refused('list --dir node', /^no node runs in/, { code: 3 })
  // the next one starts
  await removeStaleEndpoints(shell.path('node/data'))
  await using _owner = await lockFolder(shell.path('node/data'))
  await shell.refused('list --dir node', /has not opened its API yet; try again/, { code: 3 })
  expect(asked).toEqual([])
})
