import { type Clock, sleep } from '../../../base/clock.ts'
import { GATEWAY_CHECK_MS, GATEWAY_FAILURES } from '../../constants.ts'
import type { Run } from '../../types.ts'

/**
 * Resolves when the run's gateway has not answered several times in a row, so that the run is unreachable; never
 * otherwise. `current`: the run as it is now.
 */
export async function untilGatewayLost(current: () => Run, clock: Clock, signal: AbortSignal): Promise<void> {
  let failures = 0
  while (failures < GATEWAY_FAILURES) {
    await sleep(clock, GATEWAY_CHECK_MS, { signal })
    failures = (await isReachable(current(), signal)) ? 0 : failures + 1
    signal.throwIfAborted()
  }
}

/** An executor that cannot say is believed. */
async function isReachable(run: Run, signal: AbortSignal): Promise<boolean> {
  return run.reachable === undefined || (await run.reachable({ signal }).catch(() => false))
}
