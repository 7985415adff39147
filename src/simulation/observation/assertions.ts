import { InputError } from '../../base/errors.ts'
import { closestMatch } from '../../base/format.ts'
import type { Table } from './types.ts'

type Op = '>=' | '<=' | '>' | '<' | '=='

/** What a scenario says of a metric: of one of its values, or of a cell in one of its tables. */
export type Assertion = {
  readonly metric: string
  readonly op: Op
  readonly value: number
  /** the row of the table `metric`, by its columns; `column` names the one that is compared, else the last */
  readonly of?: Readonly<Record<string, string | number>> | undefined
}

export type AssertionResult = Assertion & {
  /** null where nothing was measured, which no assertion accepts */
  readonly measured: number | null
  readonly ok: boolean
}

type Measured = {
  readonly values: Readonly<Record<string, number | null>>
  readonly tables: Readonly<Record<string, Table>>
}

const COMPARE: Readonly<Record<Op, (a: number, b: number) => boolean>> = {
  '>=': (a, b) => a >= b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '<': (a, b) => a < b,
  '==': (a, b) => a === b,
}

export function checkAssertions(assertions: readonly Assertion[], found: Measured): AssertionResult[] {
  return assertions.map((assertion, index) => {
    const measured = measuredBy(assertion, found, `assertions[${index}]`)
    return { ...assertion, measured, ok: measured !== null && COMPARE[assertion.op](measured, assertion.value) }
  })
}

/** What is compared: a value by its name, or a table and what says which cell. */
export function assertedText({ metric, of }: Pick<Assertion, 'metric' | 'of'>): string {
  if (of === undefined) return metric
  const cell = Object.entries(of).map(([key, at]) => `${key} ${at}`)
  return `${metric} (${cell.join(', ')})`
}

/** One sentence of one that does not hold. */
export function assertionText({ op, value, measured, ...asserted }: AssertionResult): string {
  return `${assertedText(asserted)} is ${measured ?? 'not measured'}; the scenario asserts ${op} ${value}`
}

function measuredBy({ metric, of }: Assertion, { values, tables }: Measured, path: string): number | null {
  if (of === undefined) {
    const value = values[metric]
    if (value !== undefined) return value
    throw unknown(`${path}.metric`, metric, Object.keys(values))
  }
  const table = tables[metric]
  if (table === undefined) throw unknown(`${path}.metric`, metric, Object.keys(tables))
  const { column = table.columns.at(-1), ...where } = of
  const indexOf = (name: string | number | undefined) => {
    const index = table.columns.indexOf(String(name))
    if (index >= 0) return index
    throw unknown(`${path}.of`, String(name), [...table.columns])
  }
  const at = indexOf(column)
  const keys = Object.entries(where).map(([name, value]) => [indexOf(name), value] as const)
  const row = table.rows.find((cells) => keys.every(([index, value]) => cells[index] === value))
  const cell = row?.[at]
  return typeof cell === 'number' ? cell : null
}

function unknown(path: string, name: string, known: string[]): InputError {
  const guess = closestMatch(name, known)
  const right = guess === undefined ? `it must be one of ${known.join(', ')}` : `did you mean ${guess}?`
  return new InputError(`${path} is ${JSON.stringify(name)}, which nothing measures; ${right}`)
}
