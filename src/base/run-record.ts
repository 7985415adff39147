/** What becomes of one execution of one service, in the order in which it happens; the last four are ends. */
export const RUN_STATES = [
  ...(['decided', 'fetching', 'building', 'starting', 'running'] as const),
  ...(['exited', 'failed', 'stopped', 'refused'] as const),
] as const
export type RunState = (typeof RUN_STATES)[number]

/** One execution of one service on this node. Times in ms; `plan` and `handle` are JSON values. */
export type RunRecord = {
  readonly runId: string
  readonly service: string
  readonly executor: string
  readonly state: RunState
  /** what was decided: the service, its grant */
  readonly plan: unknown
  /** what the executor needs to find it again; null until it starts */
  readonly handle: unknown
  /** a stop is recorded before it is done */
  readonly wanted: 'run' | 'stop'
  readonly createdAt: number
  readonly updatedAt: number
  readonly startedAt?: number | undefined
  readonly exitCode?: number | undefined
  readonly detail?: string | undefined
  readonly restarts: number
}

/** `out`, `err`: what the service wrote. `node`: what the node has to say about it. */
export type LogStream = 'out' | 'err' | 'node'
/** One line of a run's log. `at` in ms. */
export type LogLine = { readonly stream: LogStream; readonly at: number; readonly line: string }
