import { afterAll, describe, expect, it as vitestIt } from 'vitest'

type Row = (title: string, test: () => unknown, timeoutMs?: number) => void

/** Groups and rows of the kit that say nothing about an executor, by their titles, each with the reason. */
export type LeftOut = Readonly<Record<string, string>>

/** Rows that are left out are skipped, and their reason is in the report; one that the kit does not have is an error. */
export function createRows(leftOut: LeftOut): { it: Row; group(title: string, rows: () => void): void } {
  const unknown = new Set(Object.keys(leftOut))
  const reasonFor = (title: string) => {
    unknown.delete(title)
    return leftOut[title]
  }
  afterAll(() => expect([...unknown], 'left out, and not in the kit').toEqual([]))
  return {
    it(title, test, timeoutMs) {
      const reason = reasonFor(title)
      if (reason === undefined) vitestIt(title, test, timeoutMs)
      else vitestIt.skip(`${title} (${reason})`, () => {})
    },
    group(title, rows) {
      const reason = reasonFor(title)
      if (reason === undefined) rows()
      else describe(title, () => vitestIt.skip(`all of it (${reason})`, () => {}))
    },
  }
}
