import { readFile } from 'node:fs/promises'
import { parseLine } from '../../logs/format.ts'
import { logFile } from '../../logs/writer.ts'
import { type Frame, formatLogEntry, isLater, type OutputStream, parseLogEntry } from './frames.ts'

/** The last entry of a stream that was written, and how many with its time: pieces of one line share theirs. */
export type LogPosition = { readonly at: string; readonly count: number }

/** The last lines of each stream in our files, and the time of the last of all. */
export type LastLines = { readonly at: string } & Readonly<Record<OutputStream, readonly string[]>>

/** So many lines in a row are the same place. */
const LINES = 20
/** How much of the end of our files holds them. */
const TAIL_BYTES = 512 * 1024

/** What our files have of this container; undefined where they have nothing. */
export async function readLastLines({
  dir,
  startedAt,
}: {
  dir: string
  startedAt: number
}): Promise<LastLines | undefined> {
  const files = [1, 0].map((n) => readFile(logFile(dir, 'run', n), 'utf8').catch(() => ''))
  const text = (await Promise.all(files)).join('').slice(-TAIL_BYTES)
  const lines = text.split('\n').flatMap((line) => parseLine(line) ?? [])
  const own = lines.filter(({ stream, at }) => stream !== 'node' && at >= Math.floor(startedAt))
  const at = /^\d+(\.\d+)?(?= [oe] )/gm
  const last = [...text.matchAll(at)].at(-1)?.[0]
  if (own.length === 0 || last === undefined) return undefined
  const of = (name: OutputStream) => own.flatMap(({ stream, line }) => (stream === name ? [line] : [])).slice(-LINES)
  return { at: last, out: of('out'), err: of('err') }
}

/**
 * Where our files end in what the engine keeps. Their times are of another clock and of a moment later than the
 * engine's, so the lines themselves are compared; where they are not found, times decide. `missing`: the engine's first
 * entry is later than our last, and what was between the two is not there.
 */
export function findResumePosition(
  frames: readonly Frame[],
  lasts: LastLines,
  aheadMs: number,
): { seen: Partial<Record<OutputStream, LogPosition>>; missing?: string | undefined } {
  const latest = `${Number(lasts.at) + aheadMs}`
  const seen: Partial<Record<OutputStream, LogPosition>> = {}
  let found = false
  for (const stream of ['out', 'err'] as const) {
    if (lasts[stream].length === 0) continue
    const entries = entriesOf(frames, stream)
    const end = endOf(entries, lasts[stream], latest)
    if (end !== undefined) found = true
    seen[stream] = end ?? { at: lasts.at, count: Number.POSITIVE_INFINITY }
  }
  const first = frames.map(parseLogEntry).find((entry) => entry !== undefined)?.at
  const missing = !found && first !== undefined && isLater(first, lasts.at) ? first : undefined
  return { seen, missing }
}

type Entry = { readonly at: string; readonly lines: readonly string[] }

function entriesOf(frames: readonly Frame[], of: OutputStream): Entry[] {
  return frames.flatMap((frame) => {
    const entry = frame.stream === of ? parseLogEntry(frame) : undefined
    if (entry === undefined) return []
    const lines = formatLogEntry(entry.text, of, entry.at).map((line) => parseLine(line.slice(0, -1))?.line ?? '')
    return [{ at: entry.at, lines }]
  })
}

/** The last entry, no later than `latest`, with which these lines end. */
function endOf(entries: readonly Entry[], wanted: readonly string[], latest: string): LogPosition | undefined {
  for (let index = entries.length - 1; index >= 0; index--) {
    const entry = entries[index] as Entry
    if (isLater(entry.at, latest) || !endsWith(entries, index, wanted)) continue
    let count = 1
    while (entries[index - count]?.at === entry.at) count++
    return { at: entry.at, count }
  }
  return undefined
}

function endsWith(entries: readonly Entry[], index: number, wanted: readonly string[]): boolean {
  let at = index
  let lines = [...(entries[at]?.lines ?? [])]
  for (let n = wanted.length - 1; n >= 0; n--) {
    while (lines.length === 0) {
      at--
      if (at < 0) return false
      lines = [...(entries[at]?.lines ?? [])]
    }
    if (lines.pop() !== wanted[n]) return false
  }
  return true
}
