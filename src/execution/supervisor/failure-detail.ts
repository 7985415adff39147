import type { Clock } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import type { Disk } from '../../base/os/disk.ts'
import { exitHint, type HintFacts } from '../exit-hint.ts'
import { readLogs } from '../logs/reader.ts'
import type { MonitoredEnd } from './types.ts'

type Components = { clock: Clock; log: Log; disk?: Disk | undefined }

type FailureInit = { readonly logDir: string; facts(): Promise<HintFacts> }

/** in which a program says why it ended */
const LAST_LINES = 40

/** Why a run failed, with what would help where its last lines say so. */
export async function failureDetail(
  { clock, log, disk }: Components,
  { logDir, facts }: FailureInit,
  { exitCode, reason, detail }: MonitoredEnd,
): Promise<string | undefined> {
  if (reason !== 'exit') return detail
  const lines: string[] = []
  try {
    for await (const { stream, line } of readLogs(logDir, {
      tail: LAST_LINES,
      follow: false,
      keep: 1,
      ended: () => true,
      clock,
      disk,
    })) {
      if (stream !== 'node') lines.push(line)
    }
  } catch (error) {
    log.debug('the last lines of a run cannot be read', { error: messageOf(error) })
  }
  const hint = exitHint(exitCode, lines, await facts())
  return hint === undefined ? detail : `${detail ?? 'it failed'}: ${hint}`
}

/** The end of a run, explained where it failed. */
export async function withFailureDetail(
  components: Components,
  init: FailureInit,
  end: MonitoredEnd,
): Promise<MonitoredEnd> {
  const failed = end.exitCode !== 0 || end.reason !== 'exit'
  return failed ? { ...end, detail: await failureDetail(components, init, end) } : end
}
