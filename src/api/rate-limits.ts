import { BlockList } from 'node:net'
import type { Clock } from '../base/clock.ts'
import { createKeyedRateLimiter } from '../base/token-bucket.ts'
import { addressGroup } from './connection-limits.ts'

/**
 * Requests without a valid token in time, by address: a token bucket for each. An IPv6 address counts with its /64. Programs of
 * this machine have no limit, or one of its users could keep the others out, and a flood through a proxy everyone behind it.
 */
export interface RateLimits {
  /** Takes one request of this address. Returns 0, or the whole seconds after which the next one is admitted. */
  take(remoteAddress: string | undefined): number
}

export type RateLimitsInit = {
  readonly perSecond: number
  /** at once, after a pause */
  readonly burst: number
  /** Addresses that are remembered; the one that asked longest ago is forgotten, and begins with a full bucket again. */
  readonly addresses: number
}

const LOCAL = new BlockList()
LOCAL.addSubnet('127.0.0.0', 8, 'ipv4')

export function createRateLimits(
  { clock }: { clock: Pick<Clock, 'monotonic'> },
  { perSecond, burst, addresses }: RateLimitsInit,
): RateLimits {
  const limiter = createKeyedRateLimiter(clock, { perSecond, burst }, addresses)
  return {
    take(remoteAddress = '') {
      if (isLocal(remoteAddress)) return 0
      const key = addressGroup(remoteAddress)
      return limiter.take(key) ? 0 : Math.max(1, Math.ceil(limiter.waitMs(key) / 1000))
    },
  }
}

function isLocal(address: string): boolean {
  if (address === '::1') return true
  const four = address.replace(/^::ffff:/i, '')
  return LOCAL.check(four)
}
