import type { HubStatement } from '../../../../src/runner/contract.ts'
import { snapshotOf } from '../../../fixtures/runner/runners.ts'

/** Two of the seed's trusted hubs, in their canonical text. */
export const HUB = 'HUorKvAxAw5yVzSAH72sSCck6JmB9DKxC226RawegMLV'
export const OTHER = '7HHKSu9BNF7GuB3CX8BbUEzx9pp1SqLksigvfMZz9hopvWJJRSW4qrXTKWFq5ExSpm'
export const HUBS = { [HUB]: { WEIGHT: 3 }, [OTHER]: {} }

/** A hub's word: issued and expiring so many seconds from now. */
export function said(
  hub: string,
  verdict: HubStatement['verdict'],
  issued = -60,
  expires = 3600,
  more: Pick<HubStatement, 'severity' | 'report'> = {},
): HubStatement {
  const { now } = snapshotOf()
  return { hub, verdict, issued: now + issued, expires: now + expires, ...more }
}
