import type { Clock, Timer } from '../../../base/clock.ts'
import type { LogWriter } from '../../logs/writer.ts'
import type { Output } from './log-copier.ts'

/** The output of a container that has ended is read to its end, unless for so long nothing of it comes. */
const OUTPUT_IDLE_MS = 30_000

/** What is left is finite, but may be much: a busy machine reads it in minutes. So progress counts, not the time in all. */
export function stopWhenIdle(
  output: Pick<Output, 'stop'>,
  { writer, clock }: { writer: Pick<LogWriter, 'writtenBytes'>; clock: Clock },
): Timer {
  let before = writer.writtenBytes
  return clock.every(OUTPUT_IDLE_MS, () => {
    if (writer.writtenBytes === before) output.stop()
    before = writer.writtenBytes
  })
}
