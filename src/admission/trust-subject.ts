import type { WakeCondition } from '../base/verdict.ts'
import type { Dormitory } from '../execution/index.ts'
import type { SignedService } from '../services/registry.ts'
import type { TrustFacts, TrustSubject } from '../trust/index.ts'

/** Code that a trusted hub calls unsafe gets less time to end than an honest service; what is critical gets none. */
const UNSAFE_GRACE_MS = 2_000

/** What trust is asked about a service. */
export function trustSubjectOf({ body }: SignedService): TrustSubject {
  return { code: body.code, author: body.author, staples: [...body.statements, ...body.credentials] }
}

/** How long a run whose code a trusted hub calls unsafe may take to end, ms; undefined where none does. */
export function unsafeGrace({ attestations }: TrustFacts): number | undefined {
  const unsafe = attestations.filter(({ verdict }) => verdict === 'unsafe')
  if (unsafe.length === 0) return undefined
  return unsafe.some(({ severity }) => severity === 'critical') ? 0 : UNSAFE_GRACE_MS
}

/** Wakes it, as a statement that may concern it has come. */
export function wakeOnTrustChange(dormitory: Pick<Dormitory, 'wake'>, id: string, on: readonly WakeCondition[]): void {
  // what capacity alone wakes is not asked while there is none
  const first = on.find((one) => one.on !== 'capacity') ?? on[0]
  if (first !== undefined) dormitory.wake(first, [id])
}
