import { DatabaseSync } from 'node:sqlite'
import { expect } from 'vitest'
import { compareBytes, parseCid } from '../../../protocols/encoding.ts'
import type { Verdict } from '../../../src/base/verdict.ts'
import {
  CANDIDATES_SCHEMA,
  FIRST_SCHEMA,
  PARKED_SCHEMA,
  STATEMENTS_SCHEMA,
  USAGE_SCHEMA,
} from '../../../src/journal/schema.ts'
import { newSigner } from '../../fixtures/mesh/announcement-of.ts'
import { attestationBy } from '../../fixtures/trust/statements.ts'
import { it, NOW, NOW_MS, open, record } from './fixtures.ts'

const author = Uint8Array.of(1, 2, 3)

it('announcements: gives back what was inserted, once', ({ journal }) => {
  const ended = { predecessor: 'x', endedBy: 'y', state: 'superseded' } as const
  const whole = record(1, { code: 'bafkcode', redirect: true, emittedDepth: 2, own: true, ...ended })
  expect(journal.announcements.insert(whole)).toBe(true)
  expect(journal.announcements.insert({ ...whole, name: 'other' })).toBe(false)
  expect(journal.announcements.get(whole.id)).toEqual(whole)
  const bare = record(2, { from: undefined })
  journal.announcements.insert(bare)
  expect(journal.announcements.get(bare.id)).toEqual(bare)
  expect(journal.announcements.get('unknown')).toBeUndefined()
  expect(journal.announcements.count()).toBe(2)
})

it('announcements: keeps the better of two tickets', ({ journal }) => {
  const first = record(1)
  journal.announcements.insert(first)
  journal.announcements.updateTicket(first.id, { depth: 2, proof: new Uint8Array(32) })
  expect(journal.announcements.get(first.id)?.depth).toBe(3)
  journal.announcements.updateTicket(first.id, { depth: 5, proof: new Uint8Array(32) })
  expect(journal.announcements.get(first.id)).toMatchObject({ depth: 5, proof: new Uint8Array(32) })
})

it('announcements: lists what is undecided, unemitted and shared, without what is over', ({ journal }) => {
  const { announcements } = journal
  const rows = {
    pending: record(1),
    redirected: record(2, { redirect: true }),
    emitted: record(3, { redirect: true, emittedDepth: 1 }),
    refused: record(4, { redirect: false }),
    expired: record(5, { redirect: true, expires: NOW }),
    ended: record(6, { redirect: true }),
    stop: record(7, { kind: 'stop', redirect: true }),
  }
  for (const row of Object.values(rows)) announcements.insert(row)
  announcements.end(rows.ended.id, 'stopped', rows.stop.id)
  expect(announcements.undecided(NOW, 10).map(({ id }) => id)).toEqual([rows.pending.id])
  expect(announcements.pendingEmission(NOW, 10)).toEqual([rows.redirected.id, rows.stop.id])
  const shared = announcements.shared(undefined, NOW, 10).map(({ id }) => id)
  expect(shared.sort()).toEqual([rows.redirected.id, rows.emitted.id, rows.stop.id].sort())
  expect(announcements.get(rows.ended.id)).toMatchObject({ state: 'stopped', endedBy: rows.stop.id })
})

it('announcements: pages what is shared in the byte order of the ids', ({ journal }) => {
  const all = Array.from({ length: 50 }, (_, number) => record(number, { redirect: true }))
  for (const row of all) journal.announcements.insert(row)
  const paged: string[] = []
  for (let after: string | undefined; ; after = paged.at(-1)) {
    const page = journal.announcements.shared(after, NOW, 7)
    if (page.length === 0) break
    paged.push(...page.map(({ id }) => id))
  }
  const sorted = all.map(({ id }) => id).sort((a, b) => compareBytes(parseCid(a).bytes, parseCid(b).bytes))
  expect(paged).toEqual(sorted)
})

it('announcements: finds by the beginning of an id, by name and by code, and counts an author', ({ journal }) => {
  const { announcements } = journal
  const first = record(1)
  for (const row of [first, record(2, { name: 'web' }), record(3, { author: Uint8Array.of(9), name: 'web' })])
    announcements.insert(row)
  expect(announcements.startingWith(first.id.slice(0, 20), 5)).toEqual([first.id])
  expect(announcements.startingWith('baf', 2)).toHaveLength(2)
  expect(announcements.startingWith('%', 2)).toEqual([])
  expect(announcements.named('web')).toHaveLength(2)
  announcements.insert(record(4, { author: Uint8Array.of(8), code: 'other', receivedAt: NOW_MS + 1 }))
  announcements.insert(record(5, { author: Uint8Array.of(8), code: 'other', receivedAt: NOW_MS + 2 }))
  expect(announcements.idsByCode().get('other')).toEqual([record(5).id, record(4).id])
  expect([NOW, NOW + 3600].map((at) => announcements.countLive(author, at))).toEqual([2, 0])
})

it('the other stores: a head is replaced, and remembered as long as the longest of its words', ({ journal }) => {
  expect(journal.heads.knowsAuthor(author)).toBe(false)
  journal.heads.put(author, 'web', { kind: 'service', seq: 1, id: 'a', forgetAt: NOW_MS + 10_000 })
  journal.heads.put(author, 'web', { kind: 'stop', seq: 2, id: 'b', forgetAt: NOW_MS - 1 })
  expect(journal.heads.get(author, 'web')).toEqual({ kind: 'stop', seq: 2, id: 'b' })
  expect(journal.heads.knowsAuthor(author)).toBe(true)
  journal.prune(10)
  expect(journal.heads.get(author, 'web')).toBeDefined()
})

it('the other stores: verdicts are a bounded history, newest first', ({ journal }) => {
  const reasons = [{ rule: 'KEYWORDS', outcome: 'fail', message: 'none' }] as const
  const verdict: Verdict = { run: false, redirect: true, reasons }
  for (let at = 0; at < 40; at++) journal.verdicts.add({ service: 's', at, policy: Uint8Array.of(at), verdict })
  const failed = { service: 's', at: 40, policy: Uint8Array.of(40), failure: 'the runner died' }
  journal.verdicts.add(failed)
  expect(journal.verdicts.latest('s')).toEqual({ ...failed, verdict: undefined })
  const history = journal.verdicts.history('s')
  expect(history).toHaveLength(32)
  expect(history[1]).toMatchObject({ at: 39, verdict })
  expect(journal.verdicts.latest('t')).toBeUndefined()
})

it('the other stores: receipts: the newest of each node', ({ journal }) => {
  const put = (node: string, at: number) => journal.receipts.put({ service: 's', node, at, bytes: Uint8Array.of(at) })
  expect([put('a', 5), put('b', 6), put('a', 4), put('a', 7)]).toEqual([true, true, false, true])
  expect(journal.receipts.ofService('s').map(({ node, at }) => `${node} ${at}`)).toEqual(['a 7', 'b 6'])
})

it('the other stores: local stops, published services and facts', ({ journal }) => {
  journal.stops.add('s', 1)
  journal.stops.add('s', 2)
  expect([journal.stops.has('s'), journal.stops.has('t')]).toEqual([true, false])
  expect(journal.stops.all()).toEqual([{ service: 's', at: 1 }])
  const published = { service: 's', author, name: 'web', seq: 1, replicas: 2, at: 5 }
  journal.published.put(published)
  expect(journal.published.get('s')).toEqual(published)
  expect(journal.published.all()).toEqual([published])
  const [mine, mineToo, others] = [record(1, { code: 'a' }), record(2, { code: 'a' }), record(3, { code: 'b' })]
  for (const one of [mine, mineToo, others]) journal.announcements.insert(one)
  for (const { id } of [mine, mineToo]) journal.published.put({ ...published, service: id })
  expect(journal.published.liveCodes(mine.expires - 1)).toEqual(['a'])
  expect(journal.published.liveCodes(Math.max(mine.expires, mineToo.expires))).toEqual([])
  for (const { id } of [mine, mineToo]) journal.announcements.end(id, 'stopped', 'x')
  expect(journal.published.liveCodes(mine.expires - 1)).toEqual([])
  journal.meta.set('k', 'a')
  journal.meta.set('k', 'b')
  expect([journal.meta.get('k'), journal.meta.get('l')]).toEqual(['b', undefined])
})

it('runs: follows a run through its states', ({ journal: { runs } }) => {
  const planned = { runId: 'r1', service: 's', executor: 'docker', plan: { memory: 5 } } as const
  runs.create({ ...planned, at: 1 })
  const begins = { state: 'decided', handle: null, wanted: 'run', createdAt: 1, updatedAt: 1, restarts: 0 }
  expect(runs.get('r1')).toEqual({ ...planned, ...begins })
  runs.update('r1', { at: 2, state: 'starting', handle: { pid: 7 } })
  runs.update('r1', { at: 3, wanted: 'stop' })
  runs.update('r1', { at: 4, state: 'running', startedAt: 4, restarts: 1 })
  runs.update('r1', { at: 5, state: 'exited', exitCode: 3, detail: 'code 3' })
  const ended = { state: 'exited', startedAt: 4, exitCode: 3, restarts: 1, updatedAt: 5 }
  expect(runs.get('r1')).toMatchObject({ ...ended, handle: { pid: 7 }, wanted: 'stop' })
  expect(runs.transitions('r1')).toEqual([
    { state: 'decided', at: 1 },
    { state: 'starting', at: 2 },
    { state: 'running', at: 4 },
    { state: 'exited', at: 5, detail: 'code 3' },
  ])
})

it('runs: knows the unfinished ones and the newest of a service', ({ journal: { runs } }) => {
  for (const [index, state] of (['exited', 'failed', 'stopped', 'refused', 'running', 'fetching'] as const).entries()) {
    runs.create({ runId: state, service: 's', executor: 'host', plan: null, at: index })
    runs.update(state, { at: index, state })
  }
  expect(runs.unfinished().map(({ runId }) => runId)).toEqual(['running', 'fetching'])
  expect(runs.ofService('s')?.runId).toBe('fetching')
  expect(runs.ofService('t')).toBeUndefined()
  expect(runs.all()).toHaveLength(6)
  expect(() => runs.update('none', { at: 1 })).toThrow('there is no run "none"')
})

const times = { since: NOW_MS, arrived: NOW_MS - 1, expires: NOW_MS + 1 }
const parked = { id: 'a', on: [{ on: 'quorum', code: 'c' }], rank: 1.5, ...times } as const

it('parked services: are kept as they were put last, over a reopening', ({ path }) => {
  {
    using journal = open(path)
    for (const one of [{ ...parked, rank: 9 }, parked, { ...parked, id: 'b' }]) journal.parked.put(one)
    for (const id of ['b', 'unknown']) journal.parked.remove(id)
  }
  using journal = open(path)
  expect(journal.parked.all()).toEqual([parked])
})

it('what runs used before there were periods is no period of theirs', ({ path }) => {
  {
    using old = new DatabaseSync(path)
    old.exec(`${[FIRST_SCHEMA, PARKED_SCHEMA, STATEMENTS_SCHEMA, CANDIDATES_SCHEMA, USAGE_SCHEMA].join(';')};
      PRAGMA user_version = 5;
      INSERT INTO runs (run_id, service, executor, plan, state, wanted, restarts, created_at, updated_at)
        VALUES ('r', 's', 'host', 'null', 'running', 'run', 0, 1, 1);
      INSERT INTO run_usage VALUES ('r', 100, 10, 1, 50, 5, 7, 9)`)
  }
  const totals = (runningMs: number, cpuMs: number) => ({ runningMs, cpuMs, receivedBytes: 0, sentBytes: 0 })
  const record = { ended: totals(100, 10), start: 1, current: totals(50, 5), memoryBytes: 7, diskBytes: 0, at: 9 }
  {
    using journal = open(path)
    expect(journal.runs.usage('r')).toEqual({ ...record, periodFrom: totals(150, 15) })
    const next = { ...record, periodFrom: { ...totals(1, 2), receivedBytes: 3, sentBytes: 4 }, diskBytes: 5 }
    journal.runs.recordUsage('r', next, { ...totals(1, 2), at: 9 })
    expect(journal.runs.usage('r')).toEqual(next)
  }
})

it.for([
  ['sleepers', 1, FIRST_SCHEMA],
  ['statements', 2, `${FIRST_SCHEMA}; ${PARKED_SCHEMA}`],
] as const)('a journal that was written before there were %s gets them', ([, version, schema], { path, clock }) => {
  {
    using old = new DatabaseSync(path)
    old.exec(`${schema}; PRAGMA user_version = ${version}; INSERT INTO meta VALUES ('k', 'v')`)
  }
  using journal = open(path)
  journal.parked.put(parked)
  expect(journal.parked.all()).toEqual([parked])
  const encoded = attestationBy(newSigner(), { clock })
  const statement = { encoded, receivedAt: NOW_MS, via: 'gossip', own: false, recordPublishedAt: 0 } as const
  expect(journal.statements.put(statement)).toBe(true)
  expect(journal.meta.get('k')).toBe('v')
})
