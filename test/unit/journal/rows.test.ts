import { expect } from 'vitest'
import { encodeCanonical } from '../../../protocols/encoding.ts'
import type { Verdict } from '../../../src/base/verdict.ts'
import type { Journal } from '../../../src/journal/index.ts'
import type { RowKind, ServiceRowFilter } from '../../../src/journal/lists/service-rows.ts'
import { it, open, record } from './fixtures.ts'

const NOTHING: Verdict = { run: false, redirect: false, reasons: [] }
const POLICY = new Uint8Array(32)

/** Every page of a filter, as numbers in names. */
function all(journal: Journal, filter: ServiceRowFilter, max = 7): number[] {
  const found: number[] = []
  for (let before: number | undefined; ; ) {
    const { rows, next } = journal.rows.page(filter, before, max)
    found.push(...rows.map(({ record: { name } }) => Number(name.slice('name-'.length))))
    if (next === undefined) return found
    before = next
  }
}

const ROWS = 9_000
const kindOf = (number: number): RowKind =>
  (['redirected', 'redirected', 'redirected', 'refused', 'undecided', 'run', 'parked'] as const)[number % 7] as RowKind

function fill(journal: Journal): void {
  journal.transaction(() => {
    for (let number = 0; number < ROWS; number++) {
      const text = number % 1000 === 3 ? 'Größe of the THUNDER' : 'plain'
      const body = encodeCanonical({ number, desc: text })
      const entry = record(number, { body, author: Uint8Array.of(number % 10), id: `id-${number}` })
      journal.announcements.insert(entry)
      const add = (verdict: Verdict | undefined, failure?: string) =>
        journal.verdicts.add({ service: entry.id, at: 1, policy: POLICY, verdict, failure })
      const kind = kindOf(number)
      if (kind === 'redirected') add({ ...NOTHING, redirect: true })
      if (kind === 'refused') number % 2 === 0 ? add(NOTHING) : add(undefined, 'it threw')
      if (kind === 'run') add({ ...NOTHING, run: { executor: 'host' } as never })
      if (kind === 'parked') add({ ...NOTHING, park: [{ on: 'capacity' }] })
    }
    journal.runs.create({ runId: 'r', service: 'id-3', executor: 'host', plan: {}, at: 1 })
  })
}

const numbers = (fits: (number: number) => boolean) =>
  Array.from({ length: ROWS }, (_, index) => ROWS - 1 - index).filter(fits)

it('pages of rows: each filter finds all of its rows, once, newest first', ({ journal }) => {
  fill(journal)
  expect(all(journal, {}, 500)).toEqual(numbers(() => true))
  for (const kind of ['redirected', 'refused', 'undecided', 'run', 'parked'] as const) {
    expect(all(journal, { kinds: [kind] }, 100)).toEqual(numbers((number) => kindOf(number) === kind))
  }
  const held = (number: number) => kindOf(number) === 'run' || number === 3
  expect(all(journal, { kinds: ['held'] }, 100)).toEqual(numbers(held))
  const mixed = (number: number) => held(number) || kindOf(number) === 'refused'
  expect(all(journal, { kinds: ['held', 'refused'] }, 100)).toEqual(numbers(mixed))
  const ofSeven = (number: number) => number % 10 === 7
  expect(all(journal, { author: Uint8Array.of(7) }, 100)).toEqual(numbers(ofSeven))
  const both = (number: number) => ofSeven(number) && mixed(number)
  expect(all(journal, { author: Uint8Array.of(7), kinds: ['held', 'refused'] }, 10)).toEqual(numbers(both))
  expect(all(journal, { text: 'thunder' })).toEqual(numbers((number) => number % 1000 === 3))
  expect(all(journal, { text: 'thunder', kinds: ['redirected'] })).toEqual(
    numbers((number) => number % 1000 === 3 && kindOf(number) === 'redirected'),
  )
  expect(all(journal, { text: 'nowhere' })).toEqual([])
  expect(all(journal, { slice: true }, 1000)).toEqual(numbers(() => true))
  const counted = Object.values(journal.rows.counts()).reduce((sum, count) => sum + count)
  expect([counted, journal.rows.counts().redirected]).toEqual([ROWS, numbers((n) => kindOf(n) === 'redirected').length])
})

it('the sequence: grows with each commit, with what is told, and over restarts', ({ path }) => {
  const first = open(path)
  const before = first.sequence()
  first.meta.set('a', 'b')
  expect(first.sequence()).toBe(before + 1)
  first.transaction(() => {
    first.meta.set('a', 'c')
    first.meta.set('a', 'd')
  })
  expect(first.sequence()).toBe(before + 2)
  first.advance()
  const last = first.sequence()
  expect(last).toBe(before + 3)
  first[Symbol.dispose]()
  using second = open(path)
  expect(second.sequence()).toBeGreaterThan(last)
  expect(Number.isSafeInteger(second.sequence() + 2 ** 50)).toBe(true)
})
