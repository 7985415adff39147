import { type Clock, nowSeconds, type Timer } from '../base/clock.ts'
import { createTokenBucket } from '../base/token-bucket.ts'
import type { AlertName } from '../config/index.ts'
import type { Told } from './notice.ts'
import type { Fault } from './types.ts'

/** Two of its beginnings and their ends at once; then one change in five minutes. */
const TOLD = { burst: 4, perSecond: 1 / 300 }
/** Faults of one kind that are known apart. More are not begun until some have cleared. */
const MAX_FAULTS = 256

/** The faults of one kind: what is so, and what has been told of it. */
export interface FaultLog extends Disposable {
  /** Something is wrong; also where that is known. */
  begin(fault: Omit<Fault, 'alert' | 'since'>): void
  /** It is not, any more; also where it never was. */
  clear(subject: string): void
  list(): readonly Fault[]
}

export interface FaultLogInit {
  readonly clock: Clock
  readonly alert: AlertName
  begun(fault: Fault): void
  cleared(fault: Fault): void
  /** Each fault once when it begins and once when it clears; what came and went before its turn is only counted. */
  tell(told: Told): void
}

export function createFaultLog({ clock, alert, begun, cleared, tell }: FaultLogInit): FaultLog {
  const now = new Map<string, Fault>()
  const told = new Map<string, Fault>()
  const bucket = createTokenBucket(TOLD, () => clock.monotonic())
  let flapped = 0
  let timer: Timer | undefined

  function changed(): void {
    if (timer !== undefined) return
    const waitMs = bucket.waitMs(1)
    if (waitMs > 0) {
      timer = clock.after(Math.ceil(waitMs), () => {
        timer = undefined
        changed()
      })
      return
    }
    const over = [...told.values()].filter(({ subject }) => !now.has(subject))
    const fresh = [...now.values()].filter(({ subject }) => !told.has(subject))
    if (over.length + fresh.length === 0) return
    bucket.take()
    for (const { subject } of over) told.delete(subject)
    for (const fault of fresh) told.set(fault.subject, fault)
    const counted = flapped
    flapped = 0
    if (over.length > 0) tell({ alert, state: 'cleared', faults: over, flapped: counted })
    if (fresh.length > 0) tell({ alert, state: 'begun', faults: fresh, flapped: counted })
  }

  return {
    begin(given) {
      if (now.has(given.subject) || now.size >= MAX_FAULTS) return
      const fault = { ...given, alert, since: nowSeconds(clock) }
      // it was told, has cleared unseen, and is back
      if (told.has(fault.subject)) flapped++
      now.set(fault.subject, fault)
      begun(fault)
      changed()
    },
    clear(subject) {
      const fault = now.get(subject)
      if (fault === undefined) return
      now.delete(subject)
      if (!told.has(subject)) flapped++
      cleared(fault)
      changed()
    },
    list: () => [...now.values()],
    [Symbol.dispose]: () => timer?.cancel(),
  }
}
