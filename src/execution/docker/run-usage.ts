import { raceSignal } from 'race-signal'
import { type Clock, deadline, sleep } from '../../base/clock.ts'
import { TimeoutError } from '../../base/errors.ts'
import { CONNECT_RETRY_MS } from '../constants.ts'
import { GatewayUnreachableError } from '../errors.ts'
import { type GatewayEndpoint, requestGateway } from '../gateway/client.ts'
import type { GatewayUsage } from '../gateway/run-usage.ts'
import type { RunEnd, RunTotals } from '../types.ts'

/** A gateway answers in milliseconds. One that does not is not waited for: the end of a run waits behind this. */
const ANSWER_MS = 3000
/** The gateway looks twice a second, so it sees a run later begin, and earlier end, than the engine. */
const APART_MS = 3000

/** What the gateway of a run has counted; undefined where none answers, or one of an earlier version. */
export async function gatewayTotals(
  endpoint: GatewayEndpoint,
  clock: Clock,
  signal?: AbortSignal,
): Promise<GatewayUsage | undefined> {
  using limit = deadline(clock, ANSWER_MS, new TimeoutError('the gateway does not answer'), signal)
  const ask = () => raceSignal(requestGateway(endpoint, { usage: true }, limit.signal), limit.signal)
  for (;;) {
    try {
      return JSON.parse(await ask()) as GatewayUsage
    } catch (error) {
      // a run can end before its gateway, which begins with it, has made its socket
      if (!(error instanceof GatewayUnreachableError) || error.code !== 'ENOENT') return undefined
    }
    await sleep(clock, CONNECT_RETRY_MS, limit).catch(() => {})
    if (limit.signal.aborted) return undefined
  }
}

/** The engine's times are exact, and those of the wall clock: where that was set meanwhile, the gateway's counts. */
export function totalsAtEnd(ranMs: number, { endedAt }: RunEnd, counted: GatewayUsage | undefined): RunTotals {
  if (endedAt === undefined || counted === undefined) return { ...counted }
  const wasSet = Math.abs(ranMs - counted.runningMs) > APART_MS
  return { ...counted, runningMs: wasSet ? counted.runningMs : ranMs }
}
