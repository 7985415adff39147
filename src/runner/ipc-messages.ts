import type { NodeFacts, ReceivedService, ServiceFacts } from './contract.ts'
import type { RunnerFailure } from './errors.ts'

/**
 * Between the host and its process: one JSON text a line, each way over its own pipe. A line to the process carries
 * everything of one turn of the host's event loop, in order; facts that many requests share are sent once and named
 * by a slot that is written before it is used.
 */
export type ToProcess = readonly Item[]

export type Item =
  | readonly ['init', ProcessInit]
  | readonly ['config', slot: number, config: unknown]
  | readonly ['facts', slot: number, facts: SharedFacts]
  | readonly ['ask', id: number, configSlot: number, factsSlot: number, facts: ServiceFacts, service: ReceivedService]
  /** this answer is not awaited any more */
  | readonly ['cancel', id: number]

export type ProcessInit = {
  /** file URL of the operator's module */
  readonly module: string
  /** what RUNNER_CONFIGS says while the module is imported */
  readonly config: unknown
  readonly timeoutMs: number
  /** the user to become before the module runs */
  readonly user: { readonly uid: number; readonly gid: number } | null
}

export type SharedFacts = Omit<NodeFacts, 'config'>

/** A line from the process. */
export type FromProcess =
  | { readonly ready: { readonly uid: number | undefined; readonly guarded: boolean } }
  /** the module cannot be used; the process ends */
  | { readonly unusable: string }
  /** an exception that nothing caught; the process ends */
  | { readonly fatal: string }
  /** `verdict` is whatever the module returned; null = nothing */
  | { readonly id: number; readonly verdict: unknown }
  | { readonly id: number; readonly failed: { readonly kind: RunnerFailure; readonly message: string } }
  /** it waits for something without blocking the others: a later hang may be its fault or theirs */
  | { readonly id: number; readonly slow: true }
  | { readonly log: { readonly level: string; readonly message: string; readonly fields?: unknown } }

/** Cuts a stream of text into lines. A line over `max` characters is an error: no memory grows with what comes in. */
export function createLineReader(max: number, onLine: (line: string) => void): (chunk: string) => void {
  let rest = ''
  return (chunk) => {
    let start = 0
    for (let end = chunk.indexOf('\n'); end !== -1; end = chunk.indexOf('\n', start)) {
      const line = rest + chunk.slice(start, end)
      rest = ''
      start = end + 1
      if (line.length > max) throw new RangeError(`a line of more than ${max} characters`)
      onLine(line)
    }
    rest += chunk.slice(start)
    if (rest.length > max) throw new RangeError(`a line of more than ${max} characters`)
  }
}
