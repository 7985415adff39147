import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { silentLog } from '../../../src/base/log.ts'
import { POLICIES_KEPT, POLICY_BYTES_KEPT } from '../../../src/journal/constants.ts'
import { createPolicyHistory, type PolicyAuthor } from '../../../src/policy/history.ts'
import { it, NOW, open } from '../journal/fixtures.ts'

const ANN: PolicyAuthor = { kind: 'token', id: '0a', label: 'ann' }
const FILE = { kind: 'file', id: '', label: '' }
const historyOf = (journal: ReturnType<typeof open>, clock: Parameters<typeof open>[1] & object) =>
  createPolicyHistory({ clock, log: silentLog(), journal })

it('says who put which policy in force, and how many lines differ', ({ journal, clock }) => {
  const history = historyOf(journal, clock)
  history.note('a\nb\n')
  history.intend('a\nc\nd\n', ANN)
  history.note('a\nc\nd\n')
  expect(history.list()).toEqual([
    expect.objectContaining({ number: 2, at: NOW, by: ANN, added: 2, removed: 1, newest: true, sameAs: undefined }),
    expect.objectContaining({ number: 1, by: FILE, newest: false }),
  ])
  expect(history.get(1).text).toBe('a\nb\n')
})

it('a text that is read again is no change, and one that comes back says which it is', ({ journal, clock }) => {
  const history = historyOf(journal, clock)
  for (const text of ['a', 'a', 'b', 'a', undefined]) history.note(text)
  expect(history.list().map(({ number, sameAs }) => [number, sameAs])).toEqual([
    [3, 1],
    [2, undefined],
    [1, undefined],
  ])
})

it('an author is known after a kill between the file and the history; another text is not theirs', ({ clock }) => {
  const root = mkdtempSync(join(tmpdir(), 'tc-history-'))
  const path = join(root, 'journal.sqlite')
  {
    using journal = open(path, clock)
    historyOf(journal, clock).intend('new', ANN)
  }
  {
    using journal = open(path, clock)
    const history = historyOf(journal, clock)
    history.note('edited on the disk meanwhile')
    expect(history.list()[0]?.by).toEqual(FILE)
    history.intend('new', ANN)
  }
  {
    using journal = open(path, clock)
    const history = historyOf(journal, clock)
    history.note('new')
    expect(history.list()[0]).toMatchObject({ number: 2, by: ANN })
    // it counts once
    history.note('other')
    history.note('new')
    expect(history.list()[0]?.by).toEqual(FILE)
    history.intend('again', ANN)
    history.forgetIntent()
    history.note('again')
    expect(history.list()[0]?.by).toEqual(FILE)
  }
  rmSync(root, { recursive: true })
})

it('is bounded by number and by bytes; the one in force is kept whatever its size', ({ journal, clock }) => {
  const history = historyOf(journal, clock)
  for (let index = 0; index < POLICIES_KEPT + 5; index++) history.note(`policy ${index}`)
  expect(history.list()).toHaveLength(POLICIES_KEPT)
  expect(() => history.get(1)).toThrow('there is no policy 1 in the history')
  const large = 'x'.repeat(POLICY_BYTES_KEPT / 4)
  for (let index = 0; index < 6; index++) history.note(large + index)
  const kept = history.list()
  expect(kept.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(POLICY_BYTES_KEPT)
  expect(kept).toHaveLength(3)
  history.note('y'.repeat(POLICY_BYTES_KEPT + 1))
  expect(history.list()).toHaveLength(1)
  // a number is never another policy's
  expect(history.list()[0]?.number).toBe(POLICIES_KEPT + 5 + 7)
})

it('a journal that cannot be written keeps no policy out of force', ({ journal, clock }) => {
  const broken = { ...journal, transaction: () => expect.unreachable() }
  expect(() => createPolicyHistory({ clock, log: silentLog(), journal: broken }).note('a')).not.toThrow()
})
