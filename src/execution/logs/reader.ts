import type { Clock } from '../../base/clock.ts'
import { type Disk, type OpenFile, systemDisk } from '../../base/os/disk.ts'
import { watchFolder } from '../../base/os/folder-watch.ts'
import type { LogLine } from '../../base/run-record.ts'
import { LOG_POLL_MS } from '../constants.ts'
import { createSplitter, parseLine } from './format.ts'
import { droppedBytes, type LogSet, logFile } from './writer.ts'

const SETS: readonly LogSet[] = ['run', 'node']
/** Longer than any written line with its time and stream, in bytes or characters. */
const MAX_STORED_LINE = 64 * 1024

export type ReadLogsOptions = {
  /** the last so many lines first */
  readonly tail: number
  readonly follow: boolean
  /** full files that a set may have */
  readonly keep: number
  /** no more will be written */
  readonly ended: () => boolean
  readonly clock: Clock
  /** default: that of this machine */
  readonly disk?: Disk | undefined
  readonly signal?: AbortSignal | undefined
}

/** The lines of both sets of one folder, merged by their times; `follow` goes on until `ended` or the signal. */
export async function* readLogs(dir: string, options: ReadLogsOptions): AsyncGenerator<LogLine> {
  const { disk = systemDisk() } = options
  using watch = options.follow ? watchFolder(options.clock, dir) : undefined
  const cursors = options.follow ? SETS.map((set) => createCursor(disk, logFile(dir, set, 0))) : []
  try {
    for (const cursor of cursors) await cursor.toEnd()
    const tails = await Promise.all(SETS.map((set) => readTail(disk, dir, set, options)))
    const past = mergeByTime(tails)
    yield* options.tail === 0 ? [] : past.slice(-options.tail)
    while (options.follow && options.signal?.aborted !== true) {
      const last = options.ended()
      const lines = mergeByTime(await Promise.all(cursors.map((cursor) => cursor.read())))
      yield* lines
      if (last && lines.length === 0) return
      if (lines.length === 0) await watch?.change(LOG_POLL_MS, options.signal)
    }
  } finally {
    for (const cursor of cursors) await cursor.close()
  }
}

/**
 * The lines of each set stay in their order, whatever their times: those of a container are of the node's clock, and of the
 * engine's, earlier, after the node was away.
 */
function mergeByTime(sets: readonly (readonly LogLine[])[]): LogLine[] {
  const keyed = sets.flatMap((lines) => {
    let latest = 0
    return lines.map((line) => {
      latest = Math.max(latest, line.at)
      return { line, latest }
    })
  })
  return keyed.sort((a, b) => a.latest - b.latest).map(({ line }) => line)
}

/** When the last line of a set was written, as it is written there; undefined when there is none. */
export async function lastWritten(dir: string, set: LogSet, disk: Disk = systemDisk()): Promise<string | undefined> {
  for (const n of [0, 1]) {
    const text = await readText(disk, logFile(dir, set, n))
    const line = text.trimEnd().split('\n').at(-1)
    const at = line === undefined ? undefined : /^\d+(\.\d+)?(?= )/.exec(line)?.[0]
    if (at !== undefined) return at
  }
  return undefined
}

async function readTail(disk: Disk, dir: string, set: LogSet, { tail, keep }: ReadLogsOptions): Promise<LogLine[]> {
  let lines: LogLine[] = []
  for (let n = 0; n <= keep && lines.length < tail; n++) {
    const text = await readText(disk, logFile(dir, set, n))
    lines = [...parseAll(text.split('\n')), ...lines]
  }
  const dropped = lines.length < tail ? await droppedBytes(disk, dir, set) : 0
  const at = lines[0]?.at ?? 0
  return dropped === 0
    ? lines
    : [{ stream: 'node', at, line: `${dropped} bytes before this are no longer kept` }, ...lines]
}

async function readText(disk: Disk, path: string): Promise<string> {
  return (await disk.readFile(path).catch(() => '')).toString()
}

/** Reads what is appended to a file, also over the moment when it is set aside and a new one begun. */
function createCursor(disk: Disk, path: string) {
  let handle: OpenFile | undefined
  let position = 0
  let splitter = createSplitter(MAX_STORED_LINE)

  async function drain(from: OpenFile): Promise<LogLine[]> {
    const buffer = Buffer.alloc(256 * 1024)
    const { bytesRead } = await from.read(buffer, 0, buffer.byteLength, position)
    position += bytesRead
    return parseAll(splitter.push(buffer.subarray(0, bytesRead)))
  }
  async function next(): Promise<boolean> {
    const opened = await disk.open(path).catch(() => undefined)
    if (opened === undefined) return false
    await handle?.close()
    handle = opened
    position = 0
    splitter = createSplitter(MAX_STORED_LINE)
    return true
  }

  return {
    async toEnd() {
      if (await next()) position = (await handle?.stat())?.size ?? 0
    },
    async read(): Promise<LogLine[]> {
      if (handle === undefined && !(await next())) return []
      const lines = await drain(handle as OpenFile)
      if (lines.length > 0) return lines
      const [mine, named] = await Promise.all([handle?.stat(), disk.stat(path).catch(() => undefined)])
      if (named === undefined || named.ino === mine?.ino || position < (mine?.size ?? 0)) return []
      return (await next()) ? drain(handle as OpenFile) : []
    },
    async close() {
      await handle?.close()
      handle = undefined
    },
  }
}

function parseAll(lines: string[]): LogLine[] {
  return lines.flatMap((line) => parseLine(line) ?? [])
}
