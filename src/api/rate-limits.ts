import { BlockList } from 'node:net'
import type { Clock } from '../base/clock.ts'
import { LruMap } from '../base/lru-map.ts'
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

type Bucket = { left: number; at: number }

const LOCAL = new BlockList()
LOCAL.addSubnet('127.0.0.0', 8, 'ipv4')

export function createRateLimits(
  { clock }: { clock: Pick<Clock, 'monotonic'> },
  { perSecond, burst, addresses }: RateLimitsInit,
): RateLimits {
  const buckets = new LruMap<string, Bucket>(addresses)
  return {
    take(remoteAddress = '') {
      if (isLocal(remoteAddress)) return 0
      const key = addressGroup(remoteAddress)
      const now = clock.monotonic()
      const { left, at } = buckets.get(key) ?? { left: burst, at: now }
      const filled = Math.min(burst, left + ((now - at) / 1000) * perSecond)
      const admitted = filled >= 1
      buckets.set(key, { left: admitted ? filled - 1 : filled, at: now })
      return admitted ? 0 : Math.max(1, Math.ceil((1 - filled) / perSecond))
    },
  }
}

function isLocal(address: string): boolean {
  if (address === '::1') return true
  const four = address.replace(/^::ffff:/i, '')
  return LOCAL.check(four)
}
