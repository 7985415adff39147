import { createHash } from 'node:crypto'
import type { Clock } from '../../base/clock.ts'

/** 16 bytes that were not used before, by this process or an earlier one. They are not secret. */
export function nonce(clock: Clock, about: string): Buffer {
  return createHash('sha256')
    .update(`${about} ${process.pid} ${clock.now()} ${clock.monotonic()}`)
    .digest()
    .subarray(0, 16)
}
