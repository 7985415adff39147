import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { formatAddress } from '../../../protocols/address.ts'
import { systemClock } from '../../../src/base/clock.ts'
import { loadIdentity, type Policy } from '../../../src/config/index.ts'
import {
  type AdmissionLife,
  type AdmissionWorld,
  createAdmissionWorld,
  policyOf,
} from '../../fixtures/node/admission-harness.ts'
import { addFolder, announce, bytesOf, createWorld, HELLO_WEB, newSigner, stateOf } from '../../fixtures/node/nodes.ts'
import { delegationBy } from '../../fixtures/trust/statements.ts'
import { needs } from '../../require.ts'

const CHAINS = { PREFER_HOSTCHAINS: { btc: {}, algo: {} } }
/** Nothing of what these tests hear is of interest. */
const closed = (runs: number) => policyOf(runs, { ...CHAINS, KEYWORDS: ['nothing'] })
const open = (runs: number) => policyOf(runs, CHAINS)

/** Drives the clock until nothing is decided again any more. */
async function reconsidered(world: AdmissionWorld, life: AdmissionLife): Promise<void> {
  let over = false
  const done = life.admission.backgroundIdle().then(() => {
    over = true
  })
  for (let round = 0; !over && round < 20_000; round++) await world.clock.advance(50)
  await done
  await life.settle()
}

const told = (world: AdmissionWorld) =>
  world.happened.flatMap(([name, detail]) => (name === 'node:reconsidered' ? [detail] : []))

describe('a policy that admits what was passed on', () => {
  let world: AdmissionWorld
  let life: AdmissionLife
  beforeEach(async () => {
    world = await createAdmissionWorld({ policy: closed(2) })
    life = await world.start()
  })
  afterEach(() => world[Symbol.asyncDispose]())

  const preview = (policy: Policy) =>
    life.admission.reevaluation.preview(async (...asked) => world.runner(...asked), policy.config)

  async function apply(policy: Policy): Promise<void> {
    world.policy = policy
    const all = life.admission.reevaluateAll()
    await world.clock.advance(0)
    await all
  }

  it('says before what would start and be parked, starts the best, and tells the publishers', async () => {
    const plain = await life.hear()
    const best = await life.hear({ hostchains: ['btc', 'algo'] })
    const good = await life.hear({ hostchains: ['btc'] })
    expect([plain, best, good].map(life.state)).toEqual(['redirected', 'redirected', 'redirected'])
    const before = await preview(open(2))
    expect(before.changes.map(({ id, from, to }) => [id, from, to])).toEqual([
      [best, 'redirected', 'run'],
      [good, 'redirected', 'run'],
      [plain, 'redirected', 'parked'],
    ])
    expect([before.asked, before.notAsked, before.forgotten]).toEqual([3, 0, 0])
    await apply(open(2))
    await reconsidered(world, life)
    expect([plain, best, good].map(life.state)).toEqual(['parked', 'running', 'running'])
    expect(
      world.journal.runs
        .all()
        .map(({ service }) => service)
        .toReversed(),
    ).toEqual([best, good])
    expect(told(world)).toMatchObject([{ services: 3, changed: 3, forgotten: 0 }])
    expect(world.receipts.filter(({ service }) => service === best).map(({ state }) => state)).toEqual([
      'redirected',
      'running',
    ])
  })

  it('starts nothing that its author, or the operator, stopped meanwhile', async () => {
    const [stopped, local, other] = [await life.hear(), await life.hear(), await life.hear()]
    await apply(open(3))
    // between the look at all and the start of the first
    let asked = 0
    const { runner } = world
    world.runner = (service, snapshot) => {
      if (++asked === 1) {
        world.journal.announcements.end(stopped, 'stopped', 'x')
        world.journal.stops.add(local, world.clock.now())
      }
      return runner(service, snapshot)
    }
    await reconsidered(world, life)
    expect([stopped, local, other].map(life.state)).toEqual(['stopped', 'stopped', 'running'])
    expect(world.journal.runs.all()).toHaveLength(1)
  })

  it('goes on where it was killed', async () => {
    const ids: string[] = []
    for (let index = 0; index < 100; index++) ids.push(await life.hear())
    await apply(open(2))
    await world.clock.advance(120)
    // killed: nothing more of this life happens
    const seen = new Map<string, number>()
    await life.end()
    world.runner = countingRunner(world, seen)
    life = await world.start()
    await reconsidered(world, life)
    expect(ids.filter((id) => life.state(id) === 'running')).toEqual(ids.slice(0, 2))
    expect(ids.filter((id) => life.state(id) === 'redirected')).toEqual([])
    // what the life before had asked about was asked about only when it was its turn
    const lookedAt = [...seen.values()].filter((count) => count > 1).length
    expect(lookedAt).toBeGreaterThan(0)
    expect(lookedAt).toBeLessThan(100)
  })

  it('is begun from the start by a newer policy', async () => {
    const ids: string[] = []
    for (let index = 0; index < 60; index++) ids.push(await life.hear({ keywords: [index < 30 ? 'old' : 'new'] }))
    await apply(policyOf(60, { ...CHAINS, KEYWORDS: ['old'] }))
    await world.clock.advance(70)
    await apply(policyOf(60, { ...CHAINS, KEYWORDS: ['new'] }))
    await reconsidered(world, life)
    expect(ids.slice(0, 30).map(life.state)).toEqual(Array(30).fill('redirected'))
    expect(new Set(ids.slice(30).map(life.state))).toEqual(new Set(['running', 'parked']))
    expect(world.journal.reconsiderations.best(1)).toEqual([])
  })

  it('leaves alone what has run for good, and begins no task twice', async () => {
    world.policy = open(2)
    const task = await life.hear({ run: { command: ['x'], kind: 'task' } })
    await life.settle()
    await apply(closed(2))
    await reconsidered(world, life)
    expect(life.state(task)).toBe('stopped')
    expect((await preview(open(2))).changes).toEqual([])
    await apply(open(2))
    await reconsidered(world, life)
    expect(life.state(task)).toBe('stopped')
    expect(world.journal.runs.all()).toHaveLength(1)
  })

  it('decides about a thousand, as many as fit run, and the best of the others are parked', async () => {
    const ids: string[] = []
    for (let index = 0; index < 1000; index++) {
      ids.push(await life.hear({ hostchains: index % 100 === 99 ? ['btc'] : [] }))
    }
    const next = policyOf(4, { ...CHAINS, DORMITORY: { MAX: 20 } })
    const before = await preview(next)
    const best = ids.filter((_, index) => index % 100 === 99)
    expect(before.changes.filter(({ to }) => to === 'run').map(({ id }) => id)).toEqual(best.slice(0, 4))
    expect(before.changes.filter(({ to }) => to === 'parked').map(({ id }) => id)).toEqual([
      ...best.slice(4),
      ...ids.slice(0, 14),
    ])
    await apply(next)
    await reconsidered(world, life)
    const inState = (state: string) => ids.filter((id) => life.services.view(life.services.find(id)).state === state)
    expect(inState('running')).toEqual(best.slice(0, 4))
    expect(life.admission.dormitory.all().map(({ id }) => id)).toEqual([...best.slice(4), ...ids.slice(0, 14)])
  })

  it('is followed by a word of a hub or of a root, for what it concerns', async () => {
    const ids = [await life.hear(), await life.hear()]
    const seen = new Map<string, number>()
    world.runner = countingRunner(world, seen)
    life.events.emit('trust:changed', { on: 'code', code: 'bafyother' })
    await reconsidered(world, life)
    expect(seen.size).toBe(0)
    const { code } = life.services.view(life.services.find(ids[0] as string))
    life.events.emit('trust:changed', { on: 'code', code })
    await reconsidered(world, life)
    expect([...seen.keys()].sort()).toEqual(ids.toSorted())
    // the tree: those whose author it lets in
    world.believed = { ...world.believed, inTree: false }
    life.events.emit('trust:changed', { on: 'tree' })
    await reconsidered(world, life)
    expect(ids.map((id) => seen.get(id))).toEqual([2, 2])
    life.events.emit('trust:changed', { on: 'tree' })
    await reconsidered(world, life)
    expect(ids.map((id) => seen.get(id))).toEqual([2, 2])
  })

  it('says what the journal had no room for', async () => {
    for (let index = 0; index < 30; index++) await life.hear()
    world.journal.prune(20)
    expect((await preview(open(2))).forgotten).toBeGreaterThanOrEqual(10)
    await apply(open(2))
    await reconsidered(world, life)
    expect(told(world)).toMatchObject([{ forgotten: expect.any(Number) }])
    // when all of it has expired there is nothing to say
    world.clock.jump(400 * 86_400_000)
    expect((await preview(open(2))).forgotten).toBe(0)
  })
})

function countingRunner(world: AdmissionWorld, seen: Map<string, number>): AdmissionWorld['runner'] {
  const { runner } = world
  return (service, snapshot) => {
    seen.set(service.id, (seen.get(service.id) ?? 0) + 1)
    return runner(service, snapshot)
  }
}

describe.skipIf(!needs('bubblewrap'))('a real node', () => {
  it('runs, by a policy that admits it, what it had passed on', async () => {
    await using nodes = await createWorld()
    const author = newSigner()
    const onHost = { PREFER_TOOLCHAIN: { host: ['node.js'] } }
    const publisher = await nodes.start('publisher')
    const worker = await nodes.start('worker', { runner: { ...onHost, STATIC_NODES: publisher.multiaddrs() } })
    await vi.waitFor(() => expect(publisher.peers()).toHaveLength(1), { timeout: 45_000 })
    const code = await addFolder(publisher, HELLO_WEB)
    const announcement = announce(author, { code, replyTo: publisher.multiaddrs() })
    const id = announcement.signed.id.toString()
    await publisher.receive(bytesOf(announcement), { asPublisher: true })
    await vi.waitFor(() => expect(worker.services()).toMatchObject([{ id, state: 'redirected' }]), { timeout: 45_000 })
    const file = join(nodes.dir('worker'), 'runners/andromeda/config.json')
    const text = JSON.stringify({
      ...(JSON.parse(await readFile(file, 'utf8')) as object),
      TRUST_TREE: { ROOTS: { [formatAddress(author.address)]: { DEPTH: 0 } } },
    })
    expect(await worker.previewPolicy(text)).toMatchObject({ changes: [{ id, from: 'redirected', to: 'run' }] })
    expect(await worker.applyPolicy(text)).toMatchObject({ changes: [], background: 1 })
    await stateOf(worker, id, 'running')
    await vi.waitFor(() => expect(publisher.service(id).receipts).toMatchObject([{ state: 'running' }]), {
      timeout: 45_000,
    })
  })

  it('says beforehand, and then runs, what its root lets in, and ends what it lets out', async () => {
    await using nodes = await createWorld()
    const author = newSigner()
    const publisher = await nodes.start('publisher')
    const worker = await nodes.start('worker', {
      runner: { PREFER_TOOLCHAIN: { host: ['node.js'] }, STATIC_NODES: publisher.multiaddrs() },
    })
    await vi.waitFor(() => expect(publisher.peers()).toHaveLength(1), { timeout: 45_000 })
    const code = await addFolder(publisher, HELLO_WEB)
    const announcement = announce(author, { code, replyTo: publisher.multiaddrs() })
    const id = announcement.signed.id.toString()
    await publisher.receive(bytesOf(announcement), { asPublisher: true })
    await vi.waitFor(() => expect(worker.services()).toMatchObject([{ id, state: 'redirected' }]), { timeout: 45_000 })
    const { signer } = await loadIdentity(nodes.dir('worker'))
    const told = { clock: systemClock(), network: nodes.network }
    const delegation = delegationBy(signer, author, told)
    const starts = [{ id, from: 'redirected', to: 'run' }]
    expect(await worker.previewStatement(delegation)).toMatchObject({ changes: starts, asked: 1 })
    // of an author of nothing, by a root of nobody, and what was only looked at
    for (const other of [delegationBy(signer, newSigner(), told), delegationBy(newSigner(), author, told)]) {
      expect(await worker.previewStatement(other)).toMatchObject({ changes: [], asked: 0 })
    }
    expect(worker.trustTree(formatAddress(author.address)).asked).toMatchObject({ in: false })
    // who was vouched for by somebody who is vouched for only now
    const friend = newSigner()
    await worker.submitStatement(delegationBy(friend, author, told))
    expect(await worker.previewStatement(delegationBy(signer, friend, told, { depth: 1 }))).toMatchObject({
      changes: starts,
    })
    await worker.submitStatement(delegation, { asPublisher: true })
    await stateOf(worker, id, 'running')
    const revocation = delegationBy(signer, author, told, { seq: 2, revoked: true })
    const { changes } = await worker.previewStatement(revocation)
    expect(changes).toMatchObject([{ id, from: 'run', to: 'redirected' }])
    expect(worker.service(id).state).toBe('running')
    await worker.submitStatement(revocation, { asPublisher: true })
    await stateOf(worker, id, 'stopped')
    await expect(worker.previewStatement(delegation)).rejects.toThrow(
      /a later statement of the same subject is in force/,
    )
  })
})
