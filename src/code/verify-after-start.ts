import { type Clock, sleep } from '../base/clock.ts'
import { messageOf } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { CodeStore } from './types.ts'

/** A start has other things to read. */
const WAIT_MS = 10_000
/** Between two codes: runs and peers read from the same disk. */
const PAUSE_MS = 100

/**
 * Compares the code that the node has kept with its content ids, once after each start, in the background. What the disk has
 * lost is found before a run or a peer asks for it; the store removes it and says so.
 */
export function verifyStoredCode(
  { clock, log, store }: { clock: Clock; log: Log; store: Pick<CodeStore, 'verify'> },
  { closing }: { closing: AbortSignal },
): void {
  const verify = async () => {
    await sleep(clock, WAIT_MS, { signal: closing })
    for await (const _checked of store.verify({ signal: closing })) await sleep(clock, PAUSE_MS, { signal: closing })
  }
  verify().catch((error: unknown) => {
    if (!closing.aborted) log.warn('the stored code could not be verified', { reason: messageOf(error) })
  })
}
