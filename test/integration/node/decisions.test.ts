import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { once } from '../../../src/base/events.ts'
import type { Reason } from '../../../src/base/verdict.ts'
import type { NodeEvents, ThundercloudNode } from '../../../src/node/index.ts'
import { test as base, eventually, type Mesh, ON_HOST, trustPolicyFor, waitForState } from '../../fixtures/node/mesh.ts'
import { addFolder, HELLO_WEB, newSigner, stateOf } from '../../fixtures/node/nodes.ts'
import { needs } from '../../require.ts'

const author = newSigner()
const LIMITS_FOR_ONE = { TOTAL: { MEMORY: '1GiB', CPU: '2', DISK: '512MiB', PIDS: 512, RUNS: 1 } }

let mesh: Mesh
let first: ThundercloudNode
let second: ThundercloudNode
let code: string

const test = base.extend('opened', { auto: true }, ({ mesh: opened }) => {
  mesh = opened
})

/** A publisher, and a neighbour with capacity for one run. */
async function pair(policy: Readonly<Record<string, unknown>> = {}): Promise<void> {
  first = await mesh.start('first')
  const runner = { ...trustPolicyFor(author), ...ON_HOST, LIMITS: LIMITS_FOR_ONE, ...policy }
  second = await mesh.join('second', first, { runner })
  code = await addFolder(first, HELLO_WEB)
}

const publish = (name: string, change: Readonly<Record<string, unknown>> = {}) =>
  mesh.publish(first, { author, code, name, ...change })

/** The last receipt that the publisher has. */
const lastReceipt = (id: string) => first.service(id).receipts[0]

async function change(keys: Readonly<Record<string, unknown>>): Promise<void> {
  await writeFile(mesh.policyFile('second'), await mesh.policyWith('second', keys))
  await second.reload()
}

/** A service that runs there, and so leaves no capacity. */
async function publishRunning(name = 'one', manifest: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const id = await publish(name, manifest)
  await stateOf(second, id, 'running')
  return id
}

/** One that finds no free capacity. */
async function publishParked(name: string, manifest: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const id = await publish(name, manifest)
  await waitForState(second, id, 'parked')
  return id
}

describe.skipIf(!needs('bubblewrap'))('a node with capacity for one run', () => {
  test('parks the second service, says until when and for what, and runs it when the first one ends', async () => {
    await pair()
    const one = await publishRunning()
    const two = await publishParked('two')
    const { parked } = second.service(two)
    expect(parked?.on).toContainEqual({ on: 'capacity' })
    expect((parked?.until ?? 0) - (parked?.since ?? 0)).toBeGreaterThan(3000)
    expect(second.policy().parked).toBe(1)
    await eventually(() => expect(lastReceipt(two)?.state).toBe('parked'))
    expect(lastReceipt(two)?.reasons).toContainEqual(expect.objectContaining({ rule: 'capacity', outcome: 'defer' }))

    const woken = once<NodeEvents, 'node:woken'>(second.events, 'node:woken', { signal: AbortSignal.timeout(45_000) })
    await second.stop(one)
    expect(await woken).toMatchObject({ id: two, to: 'run' })
    await stateOf(second, two, 'running')
    await eventually(() => expect(lastReceipt(two)?.state).toBe('running'))
    expect(second.service(two).parked).toBeUndefined()
    expect(second.policy()).toMatchObject({ parked: 0, counts: { capacity: { defer: 1 } } })
  })

  test('resumes its parked services after a restart, as old as they are, and lets the best one run first', async () => {
    await pair({ PREFER_HOSTCHAINS: { btc: {} } })
    const one = await publishRunning()
    const plain = await publishParked('plain')
    const better = await publishParked('better', { hostchains: ['btc'] })
    const stopped = await publishParked('stopped', { hostchains: ['btc'] })
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
    const web = await publishRunning('one', { keywords: ['web'] })
    const defi = await publishParked('two', { keywords: ['defi'] })
    const redecided = once<NodeEvents, 'node:redecided'>(second.events, 'node:redecided')
    await change({ KEYWORDS: ['defi'] })
    expect((await redecided).changes.map(({ name, from, to }) => [name, from, to])).toEqual([
      ['one', 'run', 'redirected'],
      ['two', 'parked', 'run'],
    ])
    await waitForState(second, web, 'stopped')
    await stateOf(second, defi, 'running')
    await eventually(() => expect(lastReceipt(web)?.state).toBe('stopped'))
    expect(lastReceipt(web)?.reasons).toContainEqual(expect.objectContaining({ rule: 'keywords', outcome: 'fail' }))
    expect(second.service(web)).toMatchObject({ redirected: true, run: { detail: expect.stringContaining('keyword') } })
  })

  test('follows a runner whose code was saved', async () => {
    await pair()
    const id = await publishRunning()
    const words = 'not while I am away'
    const runner = join(mesh.dir('second'), 'runners', 'andromeda', 'runner.js')
    const reason = `{ rule: 'mine', outcome: 'fail', message: '${words}' }`
    await writeFile(runner, `export default async () => ({ run: false, redirect: true, reasons: [${reason}] })`)
    await stateOf(second, id, 'stopped')
    expect(second.service(id).run?.detail).toContain(words)
  })

  test('goes on with what a new policy still lets run, under the grant that it began with', async () => {
    await pair()
    const id = await publishRunning()
    const before = second.service(id).run
    const { verdict } = await second.explain(id)
    await change({ DESC_MAX_LEN: 150, LIMITS: { ...LIMITS_FOR_ONE, SERVICE: { TIMEOUT: '10m' } } })
    expect(second.service(id).run).toEqual(before)
    expect((await second.explain(id)).verdict.run).toEqual(verdict.run)
  })

  test('lets a better one end the one that runs where EVICT says so, and takes it up again afterwards', async () => {
    await pair({ PREFER_HOSTCHAINS: { btc: {} }, LIMITS: { ...LIMITS_FOR_ONE, EVICT: true } })
    const plain = await publishRunning('plain')
    const evicted = once<NodeEvents, 'node:evicted'>(second.events, 'node:evicted')
    const better = await publish('better', { hostchains: ['btc'] })
    expect(await evicted).toMatchObject({ id: plain, by: better, parked: true })
    await stateOf(second, better, 'running')
    expect(second.service(plain).state).toBe('parked')
    await eventually(() => expect(lastReceipt(plain)?.state).toBe('parked'))
    // how its run ended and where its code came from are said before why it waits
    const reasons = lastReceipt(plain)?.reasons.filter(({ rule }) => !/^(run|code):/.test(rule))
    expect(reasons?.[0]).toMatchObject({ rule: 'eviction', outcome: 'defer' })
    await second.stop(better)
    await stateOf(second, plain, 'running')
  })

  test('turns away a service that finds no free slot, and says so', async () => {
    await pair({ DORMITORY: { MAX: 1 } })
    await publishRunning()
    await publishParked('two')
    const three = await publish('three')
    await waitForState(second, three, 'redirected')
    expect((await second.explain(three)).verdict.reasons[0]).toMatchObject({ rule: 'dormitory', outcome: 'fail' })
  })
})

/** A publisher, and a node that receives its service. */
async function published(runner: Readonly<Record<string, unknown>>) {
  const first = await mesh.start('first')
  const second = await mesh.join('second', first, { runner })
  return { first, second, id: await mesh.publish(first, { author }) }
}

/** The reasons in the newest receipt that the publisher has of the other node. */
const receiptOf = (publisher: ThundercloudNode, other: ThundercloudNode, id: string) =>
  publisher.service(id).receipts.find(({ node }) => node === other.address)

const onWire = (reasons: readonly Reason[]) => reasons.map(({ warned: _stays, ...reason }) => reason)

/** The node's policy file as it is. */
const written = () => readFile(mesh.policyFile('second'), 'utf8')
const STORAGE = { KEYWORDS: ['storage'] }

describe('what is reported to a publisher', () => {
  test('is what explain says, word for word, but for what would have been', async () => {
    const warning = { DESC_MAX_LEN: 3, MODES: { 'desc-length': 'warn' } }
    const { first, second, id } = await published({ ...ON_HOST, ...STORAGE, ...warning })
    await eventually(() => expect(receiptOf(first, second, id)).toBeDefined())
    const { verdict, from } = await second.explain(id)
    expect(from).toBe('journal')
    const failed = verdict.reasons.filter(({ outcome }) => outcome === 'fail').map(({ rule }) => rule)
    expect(failed).toEqual(['keywords', 'trust'])
    const length = verdict.reasons.find(({ rule }) => rule === 'desc-length')
    expect(length).toMatchObject({ outcome: 'pass', warned: 'fail' })
    expect(receiptOf(first, second, id)).toMatchObject({ state: 'redirected', reasons: onWire(verdict.reasons) })
    // where it was published, nothing is decided about it
    expect(await first.explain(id)).toMatchObject({ from: 'now', redirected: false })
    // nothing has changed since: a decision of now says the same
    const now = await second.explain(id, { now: true })
    expect([now.from, now.verdict.reasons]).toEqual(['now', verdict.reasons])
  })
})

describe.skipIf(!needs('bubblewrap'))('a policy that is put in force', () => {
  test('tells before what stops, stops it, keeps the file before, and the publisher and explain get the same', async () => {
    const { first, second, id } = await published({ ...ON_HOST, ...trustPolicyFor(author) })
    await stateOf(second, id, 'running')
    const before = await written()
    const text = await mesh.policyWith('second', STORAGE)

    const { changes: preview } = await second.previewPolicy(text)
    expect(preview).toMatchObject([{ id, name: 'hello-web', from: 'run', to: 'redirected' }])
    expect(second.service(id).state).toBe('running')
    expect(await written()).toBe(before)

    const { changes } = await second.applyPolicy(text)
    expect(changes.map(({ from, to }) => [from, to])).toEqual([['run', 'redirected']])
    await stateOf(second, id, 'stopped')
    expect(await written()).toBe(text)
    expect(await readFile(`${mesh.policyFile('second')}.previous`, 'utf8')).toBe(before)
    const { verdict, history = [] } = await second.explain(id, { history: true })
    expect(verdict.reasons.find(({ rule }) => rule === 'keywords')).toMatchObject({ outcome: 'fail' })
    expect(history.map((past) => past.verdict?.run === false)).toEqual([true, false])
    expect(new Set(history.map(({ policy }) => policy)).size).toBe(2)
    expect(history[0]?.policy).toBe(second.policy().hash)
    // beside how its run ended and where its code came from, which only a receipt says
    const why = () => receiptOf(first, second, id)?.reasons.filter(({ rule }) => !/^(run|code):/.test(rule))
    await eventually(() => expect(why()).toEqual(onWire(verdict.reasons)))

    // SIGHUP, a saved file, or the same once more: nothing is left to change
    await second.reload()
    expect(await second.applyPolicy(text)).toMatchObject({ changes: [] })
    expect((await second.explain(id, { history: true })).history).toHaveLength(2)
    expect(await readFile(`${mesh.policyFile('second')}.previous`, 'utf8')).toBe(before)
  })

  test('changes nothing where the folder cannot be read again', async () => {
    const { second, id } = await published({ ...ON_HOST, ...trustPolicyFor(author) })
    await stateOf(second, id, 'running')
    const before = await written()
    const text = await mesh.policyWith('second', STORAGE)
    const services = join(mesh.dir('second'), 'services.json')
    const good = await readFile(services, 'utf8')
    await writeFile(services, '{')
    await expect(second.applyPolicy(text)).rejects.toThrow(/services\.json is not JSON/)
    await writeFile(services, good)
    expect(await written()).toBe(before)
    expect(second.service(id).state).toBe('running')
    expect(second.policy().facts.config.KEYWORDS).toEqual([])
  })
})
