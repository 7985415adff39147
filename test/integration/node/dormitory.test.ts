import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { once } from '../../../src/base/events.ts'
import type { NodeEvents, ThundercloudNode } from '../../../src/node/index.ts'
import { test as base, becomes, eventually, type Mesh, ON_HOST, trusting } from '../../fixtures/node/mesh.ts'
import { addFolder, HELLO_WEB, newSigner, stateOf } from '../../fixtures/node/nodes.ts'
import { needs } from '../../require.ts'

const author = newSigner()
const ROOM_FOR_ONE = { TOTAL: { MEMORY: '1GiB', CPU: '2', DISK: '512MiB', PIDS: 512, RUNS: 1 } }

let mesh: Mesh
let first: ThundercloudNode
let second: ThundercloudNode
let code: string

const test = base.extend('opened', { auto: true }, ({ mesh: opened }) => {
  mesh = opened
})

/** A publisher, and a neighbour with room for one run. */
async function pair(policy: Readonly<Record<string, unknown>> = {}): Promise<void> {
  first = await mesh.start('first')
  const runner = { ...trusting(author), ...ON_HOST, LIMITS: ROOM_FOR_ONE, ...policy }
  second = await mesh.join('second', first, { runner })
  code = await addFolder(first, HELLO_WEB)
}

const publish = (name: string, change: Readonly<Record<string, unknown>> = {}) =>
  mesh.publish(first, { author, code, name, ...change })

/** What the publisher was told last. */
const told = (id: string) => first.service(id).receipts[0]

async function change(keys: Readonly<Record<string, unknown>>): Promise<void> {
  const file = join(mesh.dir('second'), 'runners', 'andromeda', 'config.json')
  await writeFile(file, JSON.stringify({ ...JSON.parse(await readFile(file, 'utf8')), ...keys }))
  await second.reload()
}

describe.skipIf(!needs('bubblewrap'))('a node with room for one run', () => {
  test('parks the second service, says until when and for what, and runs it when the first one ends', async () => {
    await pair()
    const one = await publish('one')
    await stateOf(second, one, 'running')
    const two = await publish('two')
    await becomes(second, two, 'parked')
    const { parked } = second.service(two)
    expect(parked?.on).toContainEqual({ on: 'capacity' })
    expect((parked?.until ?? 0) - (parked?.since ?? 0)).toBeGreaterThan(3000)
    expect(second.policy().parked).toBe(1)
    await eventually(() => expect(told(two)?.state).toBe('parked'))
    expect(told(two)?.reasons).toContainEqual(expect.objectContaining({ rule: 'capacity', outcome: 'defer' }))

    const woken = once<NodeEvents, 'node:woken'>(second.events, 'node:woken', { signal: AbortSignal.timeout(45_000) })
    await second.stop(one)
    expect(await woken).toMatchObject({ id: two, to: 'run' })
    await stateOf(second, two, 'running')
    await eventually(() => expect(told(two)?.state).toBe('running'))
    expect(second.service(two).parked).toBeUndefined()
    expect(second.policy()).toMatchObject({ parked: 0, counts: { capacity: { defer: 1 } } })
  })

  test('takes up its sleepers after a restart, as old as they are, and lets the best one run first', async () => {
    await pair({ PREFER_HOSTCHAINS: { btc: {} } })
    const one = await publish('one')
    await stateOf(second, one, 'running')
    const plain = await publish('plain')
    const better = await publish('better', { hostchains: ['btc'] })
    const stopped = await publish('stopped', { hostchains: ['btc'] })
    for (const id of [plain, better, stopped]) await becomes(second, id, 'parked')
    await second.stop(stopped)
    expect(second.service(stopped)).toMatchObject({ state: 'stopped', parked: undefined })
    const { since } = second.service(plain).parked ?? {}
    await mesh.stop('second')
    second = await mesh.start('second')
    expect(second.service(plain).parked?.since).toBe(since)
    await stateOf(second, one, 'running')
    await second.stop(one)
    await stateOf(second, better, 'running')
    expect(second.service(plain).state).toBe('parked')
  })

  test('follows a new policy: stops what it refuses, says why, and runs what waited', async () => {
    await pair({ KEYWORDS: ['web', 'defi'] })
    const web = await publish('one', { keywords: ['web'] })
    await stateOf(second, web, 'running')
    const defi = await publish('two', { keywords: ['defi'] })
    await becomes(second, defi, 'parked')
    const redecided = once<NodeEvents, 'node:redecided'>(second.events, 'node:redecided')
    await change({ KEYWORDS: ['defi'] })
    expect((await redecided).changes.map(({ name, from, to }) => [name, from, to])).toEqual([
      ['one', 'run', 'redirected'],
      ['two', 'parked', 'run'],
    ])
    await becomes(second, web, 'stopped')
    await stateOf(second, defi, 'running')
    await eventually(() => expect(told(web)?.state).toBe('stopped'))
    expect(told(web)?.reasons).toContainEqual(expect.objectContaining({ rule: 'keywords', outcome: 'fail' }))
    expect(second.service(web)).toMatchObject({ redirected: true, run: { detail: expect.stringContaining('keyword') } })
  })

  test('follows a runner whose code was saved', async () => {
    await pair()
    const id = await publish('one')
    await stateOf(second, id, 'running')
    const words = 'not while I am away'
    await writeFile(
      join(mesh.dir('second'), 'runners', 'andromeda', 'runner.js'),
      `export default async (service, node) => ({ run: false, redirect: true, reasons: [{ rule: 'mine', outcome: 'fail', message: '${words}' }] })`,
    )
    await stateOf(second, id, 'stopped')
    expect(second.service(id).run?.detail).toContain(words)
  })

  test('goes on with what a new policy still lets run, under the grant that it began with', async () => {
    await pair()
    const id = await publish('one')
    await stateOf(second, id, 'running')
    const before = second.service(id).run
    const { verdict } = await second.explain(id)
    await change({ DESC_MAX_LEN: 150, LIMITS: { ...ROOM_FOR_ONE, SERVICE: { TIMEOUT: '10m' } } })
    expect(second.service(id).run).toEqual(before)
    expect((await second.explain(id)).verdict.run).toEqual(verdict.run)
  })

  test('lets a better one end the one that runs where EVICT says so, and takes it up again afterwards', async () => {
    await pair({ PREFER_HOSTCHAINS: { btc: {} }, LIMITS: { ...ROOM_FOR_ONE, EVICT: true } })
    const plain = await publish('plain')
    await stateOf(second, plain, 'running')
    const evicted = once<NodeEvents, 'node:evicted'>(second.events, 'node:evicted')
    const better = await publish('better', { hostchains: ['btc'] })
    expect(await evicted).toMatchObject({ id: plain, by: better, parked: true })
    await stateOf(second, better, 'running')
    expect(second.service(plain).state).toBe('parked')
    await eventually(() => expect(told(plain)?.state).toBe('parked'))
    // how its run ended is said before why it waits
    const reasons = told(plain)?.reasons.filter(({ rule }) => !rule.startsWith('run:'))
    expect(reasons?.[0]).toMatchObject({ rule: 'eviction', outcome: 'defer' })
    await second.stop(better)
    await stateOf(second, plain, 'running')
  })

  test('turns away who finds no bed, and says so', async () => {
    await pair({ DORMITORY: { MAX: 1 } })
    await stateOf(second, await publish('one'), 'running')
    const two = await publish('two')
    await becomes(second, two, 'parked')
    const three = await publish('three')
    await becomes(second, three, 'redirected')
    expect((await second.explain(three)).verdict.reasons[0]).toMatchObject({ rule: 'dormitory', outcome: 'fail' })
  })
})
