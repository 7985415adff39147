import type { Clock } from '../../base/clock.ts'
import { truncateUtf8 } from '../../base/format.ts'
import type { LogLine } from '../../base/run-record.ts'
import { formatLine } from '../logs/format.ts'
import { limitsOf } from '../logs/limits.ts'
import { readLogs } from '../logs/reader.ts'
import { createLogWriter, type LogLimits } from '../logs/writer.ts'
import type { Plan } from '../types.ts'

/** In which a program says why it failed; as many as its author receives. */
const LAST_LINES = 64
const LINE_BYTES = 256

/** What a build wrote last, of what it wrote since then. */
export async function lastLinesOf(
  { logDir }: Pick<Plan, 'logDir'>,
  { clock, since }: { readonly clock: Clock; readonly since: number },
): Promise<readonly LogLine[]> {
  const lines: LogLine[] = []
  const options = { tail: LAST_LINES, follow: false, keep: 1, ended: () => true, clock }
  for await (const found of readLogs(logDir, options)) {
    if (found.stream === 'node' || found.at < since) continue
    lines.push({ ...found, line: truncateUtf8(found.line, LINE_BYTES) })
  }
  return lines
}

/** Writes what a build for another run wrote into the log of this one, whose author sees no other. */
export async function repeatLines(
  { logDir, grant }: Pick<Plan, 'logDir' | 'grant'>,
  lines: readonly LogLine[],
  { clock, logs }: { readonly clock: Clock; readonly logs: LogLimits },
): Promise<void> {
  await using writer = createLogWriter(logDir, 'run', limitsOf('run', logs, grant.diskBytes))
  const text = lines.map(({ stream, line }) => formatLine(stream, clock.now(), line)).join('')
  if (text !== '') await writer.write(text)
}
