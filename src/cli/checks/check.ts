/** One thing that `doctor` looked at. */
export type Check = {
  readonly what: string
  readonly outcome: 'ok' | 'warn' | 'fail'
  /** what was found */
  readonly found: string
  /** what to do about it */
  readonly advice?: string | undefined
}

export function ok(what: string, found: string): Check {
  return { what, outcome: 'ok', found }
}

export function warn(what: string, found: string, advice?: string): Check {
  return { what, outcome: 'warn', found, advice }
}

export function fail(what: string, found: string, advice?: string): Check {
  return { what, outcome: 'fail', found, advice }
}
