import { join } from 'node:path'
import type { Clock } from '../../base/clock.ts'
import { sleep } from '../../base/clock.ts'
import { type Disk, type OpenFile, systemDisk } from '../../base/os/disk.ts'
import type { LogStream } from '../../base/run-record.ts'
import { createTokenBucket } from '../../base/token-bucket.ts'
import { LOG_BURST_BYTES, LOG_BYTES_PER_SECOND, MAX_RUN_LOG_LINE } from '../constants.ts'
import { createSplitter, formatLine } from './format.ts'

/** Bytes of one file, and how many full ones are kept beside the one that is written. */
export type LogLimits = { readonly maxBytes: number; readonly keep: number }

/** `run`: written by the reader of the run's output. `node`: by the supervisor. Two writers, two sets of files. */
export type LogSet = 'run' | 'node'

/** One set of log files that turns over: `run.log` is written, `run.log.1` the newest full one. */
export interface LogWriter extends AsyncDisposable {
  write(text: string): Promise<void>
  /** what this writer has added to the files so far */
  readonly writtenBytes: number
}

export function createLogWriter(dir: string, set: LogSet, limits: LogLimits, disk: Disk = systemDisk()): LogWriter {
  let file: { handle: OpenFile; bytes: number } | undefined
  let last: Promise<void> = Promise.resolve()
  let writtenBytes = 0

  async function append(text: string): Promise<void> {
    for (const part of partsOf(text, limits.maxBytes)) await appendPart(part)
  }

  async function appendPart(text: string): Promise<void> {
    file ??= await openLog(disk, dir, set)
    const bytes = Buffer.byteLength(text)
    if (file.bytes > 0 && file.bytes + bytes > limits.maxBytes) {
      await file.handle.close()
      file = undefined
      await countDropped(disk, dir, set, limits.keep)
      for (let n = limits.keep; n >= 1; n--) {
        await disk.rename(logFile(dir, set, n - 1), logFile(dir, set, n)).catch(() => {})
      }
      file = await openLog(disk, dir, set)
    }
    await file.handle.writeFile(text)
    file.bytes += bytes
    writtenBytes += bytes
  }

  return {
    write(text) {
      last = last.catch(() => {}).then(() => append(text))
      return last
    },
    get writtenBytes() {
      return writtenBytes
    },
    async [Symbol.asyncDispose]() {
      await last.catch(() => {})
      await file?.handle.close()
      file = undefined
    },
  }
}

/** Whole lines of at most `maxBytes` together; a longer line is alone. */
function partsOf(text: string, maxBytes: number): string[] {
  if (Buffer.byteLength(text) <= maxBytes) return [text]
  const parts: string[] = []
  let part = ''
  let bytes = 0
  for (const line of text.split(/(?<=\n)/)) {
    const size = Buffer.byteLength(line)
    if (bytes > 0 && bytes + size > maxBytes) {
      parts.push(part)
      part = ''
      bytes = 0
    }
    part += line
    bytes += size
  }
  return [...parts, part]
}

/** `n` = 0 is the one that is written; higher is older. */
export function logFile(dir: string, set: LogSet, n: number): string {
  return join(dir, n === 0 ? `${set}.log` : `${set}.log.${n}`)
}

/** Bytes of a set that are no longer kept. */
export async function droppedBytes(disk: Disk, dir: string, set: LogSet): Promise<number> {
  return Number(await disk.readFile(join(dir, `${set}.dropped`)).catch(() => '0')) || 0
}

async function countDropped(disk: Disk, dir: string, set: LogSet, keep: number): Promise<void> {
  const oldest = await disk.stat(logFile(dir, set, keep)).catch(() => undefined)
  if (oldest === undefined) return
  await disk.writeFile(join(dir, `${set}.dropped`), `${(await droppedBytes(disk, dir, set)) + oldest.size}`, {
    mode: 0o600,
  })
}

/** Reads output until it ends, no faster than a log may grow: a run that floods waits for its own pipe. */
export async function pumpOutput(
  source: AsyncIterable<Uint8Array>,
  stream: LogStream,
  { writer, clock }: { writer: LogWriter; clock: Clock },
): Promise<void> {
  const bucket = createTokenBucket({ burst: LOG_BURST_BYTES, perSecond: LOG_BYTES_PER_SECOND }, () => clock.monotonic())
  const splitter = createSplitter(MAX_RUN_LOG_LINE)
  const put = async (lines: string[]) => {
    const text = lines.map((line) => formatLine(stream, clock.now(), line)).join('')
    if (text !== '') await writer.write(text)
    return Buffer.byteLength(text)
  }
  for await (const chunk of source) {
    // short lines grow in the file: each gets its time
    const cost = Math.max(chunk.byteLength, await put(splitter.push(chunk)))
    while (!bucket.take(Math.min(cost, LOG_BURST_BYTES))) await sleep(clock, 50)
  }
  await put(splitter.end())
}

async function openLog(disk: Disk, dir: string, set: LogSet): Promise<{ handle: OpenFile; bytes: number }> {
  await disk.mkdir(dir, { recursive: true, mode: 0o700 })
  const handle = await disk.open(logFile(dir, set, 0), 'a+', 0o600)
  const { size } = await handle.stat()
  const last = Buffer.alloc(1)
  if (size > 0) await handle.read(last, 0, 1, size - 1)
  if (size === 0 || last.toString() === '\n') return { handle, bytes: size }
  // a loss of power has torn a line: the next one is not a part of it
  await handle.writeFile('\n')
  return { handle, bytes: size + 1 }
}
