import type { Dump, Observer, RunFacts } from './types.ts'

const NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/
const VALUE = /^[a-z][A-Za-z0-9]*$/

const FACTS: RunFacts = {
  nodes: 2,
  seconds: 1,
  allEvents: true,
  hasSync: true,
  runsAreKnown: true,
  connections: true,
  changing: false,
  groupOf: () => 'all',
  neighboursOf: (node) => [1 - node],
  attackerOf: () => undefined,
  serviceOf: () => ({ kind: 'service', replicas: 1, endsMs: 1000, memoryBytes: 0 }),
  limitsOf: () => undefined,
}

/** What is wrong with an observer as such: one sentence each, none where it is as it must be. */
export function checkObserver(value: unknown): string[] {
  if (typeof value !== 'object' || value === null)
    return ['an observer is an object with id, match, start, capture, assert and dump']
  const { id, match, ...parts } = value as Partial<Observer>
  const name = typeof id === 'string' ? id : 'an observer'
  const missing = (['start', 'capture', 'assert', 'dump'] as const).filter((part) => typeof parts[part] !== 'function')
  const problems = [
    ...(typeof id === 'string' && NAME.test(id)
      ? []
      : [`id is ${JSON.stringify(id)}; it must be lower-case words with hyphens`]),
    ...(Array.isArray(match) ? [] : [`${name}: match must be a list of names of events`]),
    ...missing.map((part) => `${name}: ${part} must be a function`),
  ]
  return problems.length > 0 ? problems : checkRuns(value as Observer)
}

/** Nothing may be left of one run in the next, and a run in which nothing happens is one. */
function checkRuns(value: Observer): string[] {
  const [first, second] = [value.start(FACTS), value.start(FACTS)]
  const dump: Dump = value.dump(first)
  return [
    ...(first === second && typeof first === 'object' ? [`${value.id}: start must make a new state for each run`] : []),
    ...value
      .assert(second)
      .map((sentence) => `${value.id}: it finds something wrong where nothing happened: ${sentence}`),
    ...Object.entries(dump.values).flatMap(([name, measured]) => [
      ...(VALUE.test(name) ? [] : [`${value.id}: the value ${JSON.stringify(name)} must be one word, with its unit`]),
      ...(measured === null || Number.isFinite(measured)
        ? []
        : [`${value.id}: ${name} is ${measured}; it must be a number, or null`]),
    ]),
    ...Object.entries(dump.tables ?? {}).flatMap(([name, { columns, rows }]) => [
      ...(NAME.test(name)
        ? []
        : [`${value.id}: the table ${JSON.stringify(name)} must be lower-case words with hyphens`]),
      ...(rows.every((row) => row.length === columns.length)
        ? []
        : [`${value.id}: ${name} has rows of other lengths than its columns`]),
    ]),
  ]
}
