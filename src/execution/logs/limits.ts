import { MIN_LOG_BYTES } from '../constants.ts'
import type { LogLimits, LogSet } from './writer.ts'

/**
 * What one set of a service's log files may keep: both together no more than the node's limit, and no more than the
 * disk of its grant. The run's own set gets all but one share; what the node says of the run gets that one.
 */
export function limitsOf(set: LogSet, { maxBytes, keep }: LogLimits, diskBytes: number): LogLimits {
  const total = Math.min(maxBytes * (keep + 1), Math.max(MIN_LOG_BYTES, diskBytes))
  const share = Math.floor(total / (keep + 2))
  return set === 'run' ? { maxBytes: share, keep } : { maxBytes: Math.floor(share / 2), keep: 1 }
}
