import { expect, test } from 'vitest'
import { INVARIANTS } from '../../../../src/simulation/invariants/index.ts'
import { METRICS } from '../../../../src/simulation/metrics/index.ts'
import { checkObserver } from '../../../../src/simulation/observation/check-observer.ts'

const GOOD = {
  id: 'mine',
  describe: '',
  match: ['run'],
  start: () => [],
  capture() {},
  assert: () => [],
  dump: () => ({ values: {} }),
}

test.for([...METRICS, ...INVARIANTS])('$id is as an observer must be', (each) => {
  expect(checkObserver(each)).toEqual([])
})

test.for([
  [undefined, 'an observer is an object with id, match, start, capture, assert and dump'],
  [{ ...GOOD, id: 'Mine' }, 'id is "Mine"; it must be lower-case words with hyphens'],
  [{ ...GOOD, match: 'run' }, 'mine: match must be a list of names of events'],
  [{ ...GOOD, dump: undefined }, 'mine: dump must be a function'],
  [{ ...GOOD, start: () => GOOD }, 'mine: start must make a new state for each run'],
  [{ ...GOOD, assert: () => ['no'] }, 'mine: it finds something wrong where nothing happened: no'],
  [{ ...GOOD, dump: () => ({ values: { ms: Number.NaN } }) }, 'mine: ms is NaN; it must be a number, or null'],
  [{ ...GOOD, dump: () => ({ values: { 'a b': 1 } }) }, 'mine: the value "a b" must be one word, with its unit'],
  [
    { ...GOOD, dump: () => ({ values: {}, tables: { '../x': { columns: ['a'], rows: [] } } }) },
    'mine: the table "../x" must be lower-case words with hyphens',
  ],
  [
    { ...GOOD, dump: () => ({ values: {}, tables: { x: { columns: ['a'], rows: [[1, 2]] } } }) },
    'mine: x has rows of other lengths than its columns',
  ],
] as const)('one that is not: %j', ([value, said]) => {
  expect(checkObserver(value)).toEqual([said])
})
