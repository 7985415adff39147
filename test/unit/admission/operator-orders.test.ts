import { describe, expect } from 'vitest'
import { formatAddress, peerIdOf } from '../../../protocols/address.ts'
import { MAX_BLOCKS } from '../../../src/admission/operator/block-list.ts'
import { markRestored } from '../../../src/journal/index.ts'
import { type AdmissionWorld, author, otherPeer, policyOf, runs } from '../../fixtures/node/admission-harness.ts'
import { it, TASK } from './fixtures.ts'

const SERVICE = { replicas: 1, run: { command: ['node', 'a.js'], kind: 'service' as const } }
const AUTHOR = { kind: 'author', subject: formatAddress(author.address) } as const
const TEN_MINUTES = 600

/** There is capacity, and the runner lets everything run; answers how often it was asked. */
function runsEverything(world: AdmissionWorld): { asked: number } {
  const calls = { asked: 0 }
  world.policy = policyOf(8)
  world.runner = () => {
    calls.asked++
    return runs('it may')
  }
  return calls
}

describe('a paused node', () => {
  it('begins nothing, keeps what runs, and takes up afterwards what waited', async ({ world, node }) => {
    runsEverything(world)
    const before = await node.receiveAndSettle(SERVICE)
    expect(node.admission.pause.begin()).toEqual({ since: Math.floor(world.clock.now() / 1000) })
    const [late, task] = [await node.receiveAndSettle(SERVICE), await node.receiveAndSettle(TASK)]
    const update = await node.receive({ ...SERVICE, name: node.services.find(before).record.name, seq: 2 }, before)
    await node.settle(30_000)
    expect(node.supervisor.running()).toEqual([before])
    for (const id of [late, task, update])
      expect([node.state(id), node.reasons(id)[0]?.rule]).toEqual(['parked', 'pause'])
    expect(node.services.find(late).verdict?.verdict).toMatchObject({ redirect: true })
    expect(await node.admission.decide.dryRun(node.services.find(late))).toMatchObject({ verdict: { run: false } })
    expect([node.admission.pause.end(), node.admission.pause.end()]).toEqual([true, false])
    await node.settle(20_000)
    expect(node.supervisor.running().toSorted()).toEqual([late, task, update].toSorted())
  })

  it('that is drained, too, gives both reasons, and begins nothing until both are over', async ({ world, node }) => {
    runsEverything(world)
    node.admission.drain.begin()
    node.admission.pause.begin()
    const id = await node.receiveAndSettle(SERVICE)
    const rules = () => node.reasons(id).map(({ rule }) => rule)
    expect(rules().slice(0, 2)).toEqual(['drain', 'pause'])
    node.admission.drain.end()
    await node.settle(20_000)
    expect([node.state(id), rules()[0], rules().includes('drain')]).toEqual(['parked', 'pause', false])
    node.admission.pause.end()
    await node.settle(20_000)
    expect(node.supervisor.running()).toEqual([id])
  })

  for (const order of ['pause', 'drain'] as const) {
    it(`takes up what a ${order} kept out for longer than the dormitory allows`, async ({ world, node }) => {
      runsEverything(world)
      world.policy = policyOf(8, { DORMITORY: { TTL_SECONDS: 60 } })
      node.admission[order].begin()
      const late = await node.receiveAndSettle(SERVICE)
      expect(node.state(late)).toBe('parked')
      await node.settle(30_000)
      expect([node.state(late), node.reasons(late)[0]?.rule]).toEqual(['redirected', 'dormitory'])
      node.admission[order].end()
      await node.settle(20_000)
      expect(node.supervisor.running()).toEqual([late])
    })
  }

  it('is paused after a crash, and claims no run as leaving', async ({ world, node }) => {
    runsEverything(world)
    const before = await node.receiveAndSettle(SERVICE)
    node.admission.pause.begin()
    await node.end()
    const next = await world.start()
    await next.settle(5_000)
    const late = await next.receiveAndSettle(SERVICE)
    expect([next.state(before), next.state(late), next.supervisor.running()]).toEqual(['running', 'parked', [before]])
    expect(next.services.runReasons(next.services.find(before)).map(({ rule }) => rule)).not.toContain('run:claim')
  })
})

describe('a block', () => {
  it('ends what runs of an author, refuses what comes without asking the runner, and is undone', async ({
    world,
    node,
  }) => {
    const calls = runsEverything(world)
    const id = await node.receiveAndSettle(SERVICE)
    const { block, ends } = node.admission.blocks.add(AUTHOR)
    expect([block.subject, ends.map((run) => run.id)]).toEqual([AUTHOR.subject, [id]])
    await node.settle()
    const { asked } = calls
    const late = await node.receiveAndSettle(SERVICE)
    for (const one of [id, late]) {
      expect(node.services.find(one).verdict?.verdict).toEqual({
        ...{ run: false, redirect: false },
        reasons: [{ rule: 'block', outcome: 'fail', message: 'the operator of this node has blocked its author' }],
      })
    }
    expect([node.supervisor.running(), calls.asked]).toEqual([[], asked])
    expect([node.reportedStates(id).at(-1), node.state(late)]).toEqual(['stopped', 'refused'])
    node.admission.blocks.remove('author', AUTHOR.subject)
    await node.settle(20_000)
    expect(node.supervisor.running().toSorted()).toEqual([id, late].toSorted())
  })

  it('of a code is about this code alone, and takes what is parked out of the dormitory', async ({ world, node }) => {
    runsEverything(world)
    world.policy = policyOf(1)
    const runsHere = await node.receiveAndSettle(SERVICE)
    const parked = await node.receiveAndSettle(SERVICE)
    expect([node.state(runsHere), node.state(parked)]).toEqual(['running', 'parked'])
    const codeOf = (id: string) => node.services.find(id).signed.body.code.toString()
    expect(codeOf(parked)).toBe(codeOf(runsHere))
    const told = node.admission.blocks.add({ kind: 'code', subject: codeOf(parked), keepRuns: true })
    expect([told.ends, told.parked.map(({ id }) => id), told.replaced]).toEqual([[], [parked], undefined])
    await node.settle()
    const again = node.admission.blocks.add({ kind: 'code', subject: codeOf(parked), keepRuns: true, note: 'new' })
    expect(again).toMatchObject({ block: { note: 'new' }, replaced: told.block, parked: [] })
    expect([node.state(runsHere), node.state(parked)]).toEqual(['running', 'refused'])
  })

  it('that keeps runs lets them go on, over a crash too, and begins nothing new', async ({ world, node }) => {
    runsEverything(world)
    const id = await node.receiveAndSettle(SERVICE)
    expect(node.admission.blocks.add({ ...AUTHOR, keepRuns: true, note: 'looked at' }).ends).toEqual([])
    const late = await node.receiveAndSettle(SERVICE)
    expect([node.supervisor.running(), node.state(late)]).toEqual([[id], 'refused'])
    await node.end()
    const next = await world.start()
    await next.settle(5_000)
    expect(next.supervisor.running()).toEqual([id])
    expect(next.admission.blocks.list()).toEqual([
      expect.objectContaining({ ...AUTHOR, keepsRuns: true, note: 'looked at' }),
    ])
  })

  it('that a crash cut off is carried out at the next start', async ({ world, node }) => {
    runsEverything(world)
    const id = await node.receiveAndSettle(SERVICE)
    await node.end()
    const since = world.clock.now()
    world.journal.blocks.put({ ...AUTHOR, since, until: null, note: null, keepsRuns: false })
    const next = await world.start()
    await next.settle(1_000)
    expect([next.supervisor.running(), next.state(id)]).toEqual([[], 'stopped'])
  })

  it.for([false, true])('ends by itself at its time (while the node is away: %s)', async (away, { world, node }) => {
    runsEverything(world)
    const id = await node.receiveAndSettle(SERVICE)
    const { block } = node.admission.blocks.add({ ...AUTHOR, seconds: TEN_MINUTES })
    expect(block.until).toBe(block.since + TEN_MINUTES)
    await node.settle()
    expect(node.supervisor.running()).toEqual([])
    if (away) await node.end()
    await world.clock.advance(TEN_MINUTES * 1000 - 60_000)
    if (!away) expect([node.state(id), node.admission.blocks.list().length]).toEqual(['stopped', 1])
    await world.clock.advance(120_000)
    const later = away ? await world.start() : node
    await later.settle(20_000)
    expect([later.admission.blocks.list(), later.supervisor.running()]).toEqual([[], [id]])
    expect(world.happened).toContainEqual(['node:unblocked', { ...AUTHOR, expired: true }])
  })

  it('does not concern SERVICES', async ({ world, node }) => {
    runsEverything(world)
    const own = await node.receiveAndSettle(SERVICE)
    world.own.add(own)
    node.facts.forget()
    expect(node.admission.blocks.add(AUTHOR).ends).toEqual([])
    await node.settle(1_000)
    expect(node.supervisor.running()).toEqual([own])
  })

  it('of a peer ends its connections', async ({ world, node }) => {
    const subject = otherPeer()
    node.admission.blocks.add({ kind: 'peer', subject })
    expect(world.disconnected).toEqual([subject])
    expect(() => node.admission.blocks.remove('peer', otherPeer())).toThrow(/is blocked$/)
  })

  it('is refused where its subject is no such thing, is this node, or there are too many', async ({ world, node }) => {
    const { blocks } = node.admission
    for (const [kind, subject] of [
      ['author', 'nobody'],
      ['code', AUTHOR.subject],
      ['peer', AUTHOR.subject],
    ] as const) {
      expect(() => blocks.add({ kind, subject })).toThrow(new RegExp(`^${kind}`))
    }
    expect(() => blocks.add({ kind: 'peer', subject: world.self })).toThrow(/is this node itself/)
    for (let count = 0; count < MAX_BLOCKS; count++) {
      const since = world.clock.now()
      world.journal.blocks.put({ kind: 'peer', subject: `p${count}`, since, until: null, note: null, keepsRuns: false })
    }
    await node.end()
    const next = await world.start()
    const subject = peerIdOf(author.address)
    expect(() => next.admission.blocks.add({ kind: 'peer', subject })).toThrow(/4096 blocks/)
  })
})

describe('a node that was restored from a backup', () => {
  it('begins no task that is older, and passes it on; services and newer tasks begin', async ({ world, node }) => {
    runsEverything(world)
    await node.end()
    markRestored(world.journal.meta, Math.floor(world.clock.now() / 1000))
    const next = await world.start()
    const [task, service] = [await next.receiveAndSettle(TASK), await next.receiveAndSettle(SERVICE)]
    expect([next.state(task), next.reasons(task)[0]?.rule, next.supervisor.running()]).toEqual([
      'redirected',
      'restore',
      [service],
    ])
    await world.clock.advance(10 * 60_000)
    const issued = Math.floor(world.clock.now() / 1000)
    const newer = await next.receiveAndSettle({ ...TASK, issued, expires: issued + 3600 })
    expect(next.supervisor.running().toSorted()).toEqual([service, newer].toSorted())
  })
})
