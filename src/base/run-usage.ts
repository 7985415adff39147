/** What a run has used since some moment; bytes through its gateway, seen from the run. */
export type UsageTotals = {
  /** how long it ran */
  readonly runningMs: number
  /** processor time of all its processes */
  readonly cpuMs: number
  readonly receivedBytes: number
  readonly sentBytes: number
}

/** What a run has used since its node decided it, over all its starts. */
export type RunUsage = UsageTotals & {
  /** memory at the last look */
  readonly memoryBytes: number
  /** bytes on its disk when it was last measured; 0 where its executor does not measure them for each run */
  readonly diskBytes: number
  /** of the last look, ms since 1970 */
  readonly at: number
  /** of all that, what came with the last look: periods follow one another without a gap */
  readonly period: UsageTotals
}

/**
 * What a run used in one period of its history. `at`: its end, ms since 1970. Of memory the most that was seen, of the disk the last;
 * missing where nothing was measured.
 */
export type UsagePoint = UsageTotals & {
  readonly at: number
  readonly memoryBytes?: number | undefined
  readonly diskBytes?: number | undefined
}

export type UsageRecord = {
  /** of the starts that are over */
  readonly ended: UsageTotals
  /** number of the last start: how often the run was started again before it */
  readonly start: number
  /** of that start */
  readonly current: UsageTotals
  /** of all starts, where the newest period begins */
  readonly periodFrom: UsageTotals
  readonly memoryBytes: number
  readonly diskBytes: number
  readonly at: number
}

/** What an executor said of a start. Totals are since that start; undefined: it says nothing any more. */
export type UsageLook = { readonly [Key in keyof UsageTotals]?: UsageTotals[Key] | undefined } & {
  readonly start: number
  readonly memoryBytes?: number | undefined
  readonly diskBytes?: number | undefined
  readonly at: number
}

const NOTHING: UsageTotals = { runningMs: 0, cpuMs: 0, receivedBytes: 0, sentBytes: 0 }

/** A later look never takes back what an earlier one counted. What it says may come from where the run itself can write. */
export function addLook(before: UsageRecord | undefined, look: UsageLook): UsageRecord {
  const isSame = before?.start === look.start
  const said = mapTotals((key) => whole(look[key]))
  return {
    ended: before === undefined ? NOTHING : isSame ? before.ended : totalsOf(before),
    start: look.start,
    current: isSame ? mapTotals((key) => Math.max(before.current[key], said[key])) : said,
    periodFrom: before === undefined ? NOTHING : totalsOf(before),
    memoryBytes: whole(look.memoryBytes),
    diskBytes: whole(look.diskBytes),
    at: whole(look.at),
  }
}

export function usageOf(record: UsageRecord): RunUsage {
  const { memoryBytes, diskBytes, at, periodFrom } = record
  const totals = totalsOf(record)
  const period = mapTotals((key) => Math.max(0, totals[key] - periodFrom[key]))
  return { ...totals, memoryBytes, diskBytes, at, period }
}

/** The newest period of a record, as its history keeps it. What was not measured with that look is no zero. */
export function pointOf(
  record: UsageRecord,
  { memoryBytes, diskBytes }: Pick<UsageLook, 'memoryBytes' | 'diskBytes'>,
): UsagePoint {
  return {
    ...usageOf(record).period,
    at: record.at,
    memoryBytes: memoryBytes === undefined ? undefined : whole(memoryBytes),
    diskBytes: diskBytes === undefined ? undefined : whole(diskBytes),
  }
}

/** Periods that follow one another as one. There is at least one. */
export function mergePoints(points: readonly UsagePoint[]): UsagePoint {
  const sum = mapTotals((key) => whole(points.reduce((total, point) => total + point[key], 0)))
  const memory = points.flatMap(({ memoryBytes }) => memoryBytes ?? [])
  return {
    ...sum,
    at: points.at(-1)?.at ?? 0,
    memoryBytes: memory.length === 0 ? undefined : Math.max(...memory),
    diskBytes: points.findLast(({ diskBytes }) => diskBytes !== undefined)?.diskBytes,
  }
}

/** `cpu`: of one core; the others in bytes a second. Of a period in which it did not run, nothing. */
export function ratesOf({ runningMs, cpuMs, receivedBytes, sentBytes }: UsageTotals): {
  cpu: number
  received: number
  sent: number
} {
  const per = (amount: number, unitMs: number) => (runningMs === 0 ? 0 : (amount * unitMs) / runningMs)
  return { cpu: per(cpuMs, 1), received: Math.round(per(receivedBytes, 1000)), sent: Math.round(per(sentBytes, 1000)) }
}

function totalsOf({ ended, current }: UsageRecord): UsageTotals {
  return mapTotals((key) => whole(ended[key] + current[key]))
}

function mapTotals(value: (key: keyof UsageTotals) => number): UsageTotals {
  return {
    runningMs: value('runningMs'),
    cpuMs: value('cpuMs'),
    receivedBytes: value('receivedBytes'),
    sentBytes: value('sentBytes'),
  }
}

/** As the journal keeps it: it stays at the largest rather than begin again. */
function whole(value: number | undefined): number {
  if (typeof value !== 'number' || !(value > 0)) return 0
  return Math.min(Number.MAX_SAFE_INTEGER, Math.round(value))
}
