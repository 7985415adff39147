import type { Clock } from '../base/clock.ts'
import { sanitizeText } from '../base/format.ts'
import { createTokenBucket } from '../base/token-bucket.ts'
import { type EgressDecision, isPublicAddress } from '../egress/index.ts'

/** Lines about connections: so many at once, then so many a second. A run that floods keeps its own log readable. */
const LINES = { burst: 100, perSecond: 1 }
const MAX_LINE = 400

/** Writes a line for each decision about a run's connections; those that are too many are counted, and said with the next. */
export function createEgressLog(clock: Clock, write: (line: string) => void): (decision: EgressDecision) => void {
  const bucket = createTokenBucket(LINES, () => clock.monotonic())
  let left = 0
  return (decision) => {
    if (!bucket.take()) {
      left++
      return
    }
    if (left > 0) write(`network: ${left} more connections were asked for, which are not listed`)
    left = 0
    write(sanitizeText(lineOf(decision), MAX_LINE))
  }
}

/** The author of the service reads it: the address of a machine of the operator's network is not told. */
function lineOf({ host, port, allowed, address, reason }: EgressDecision): string {
  const target = `network: ${host}:${port}`
  if (!allowed) return `${target} refused: ${reason ?? 'no reason given'}`
  return address !== undefined && address !== host && isPublicAddress(address)
    ? `${target} allowed, at ${address}`
    : `${target} allowed`
}
