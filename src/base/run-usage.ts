/** What a run has used since its node decided it, over all its starts. */
export type RunUsage = {
  /** how long it ran */
  readonly runningMs: number
  /** processor time; of a start that ended while the node was away, what the executor still knows */
  readonly cpuMs: number
  /** memory at the last look */
  readonly memoryBytes: number
  /** of the last look, ms since 1970 */
  readonly at: number
}

/** The sums of the starts that are over, and of the last. */
export type UsageRecord = {
  readonly endedMs: number
  readonly endedCpuMs: number
  /** number of the last start: how often the run was started again before it */
  readonly start: number
  readonly runningMs: number
  readonly cpuMs: number
  readonly memoryBytes: number
  readonly at: number
}

/** What an executor said of a start. */
export type UsageLook = {
  readonly start: number
  /** since that start */
  readonly runningMs: number
  /** since that start; undefined where the executor says nothing any more */
  readonly cpuMs?: number | undefined
  readonly memoryBytes?: number | undefined
  readonly at: number
}

/** A later look never takes back what an earlier one counted. */
export function addLook(before: UsageRecord | undefined, look: UsageLook): UsageRecord {
  const same = before?.start === look.start ? before : undefined
  const ended =
    same === undefined && before !== undefined
      ? { endedMs: before.endedMs + before.runningMs, endedCpuMs: before.endedCpuMs + before.cpuMs }
      : { endedMs: before?.endedMs ?? 0, endedCpuMs: before?.endedCpuMs ?? 0 }
  return {
    ...ended,
    start: look.start,
    runningMs: Math.max(same?.runningMs ?? 0, look.runningMs),
    cpuMs: Math.max(same?.cpuMs ?? 0, look.cpuMs ?? 0),
    memoryBytes: look.memoryBytes ?? 0,
    at: look.at,
  }
}

export function usageOf({ endedMs, endedCpuMs, runningMs, cpuMs, memoryBytes, at }: UsageRecord): RunUsage {
  return { runningMs: endedMs + runningMs, cpuMs: endedCpuMs + cpuMs, memoryBytes, at }
}
