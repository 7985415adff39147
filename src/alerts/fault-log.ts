import { type Clock, nowSeconds, type Timer } from '../base/clock.ts'
import { createTokenBucket } from '../base/token-bucket.ts'
import type { AlertName } from '../config/index.ts'
import type { FaultChange } from './notice.ts'
import type { Fault } from './types.ts'

/** Two of its beginnings and their ends at once; then one change in five minutes. */
const NOTICE_RATE = { burst: 4, perSecond: 1 / 300 }
/** After a notice was not delivered, until its faults are reported again: a broken target is not tried more often. */
const REPEAT_MS = 300_000
/** Faults of one kind that have begun and are not the operator's own. What is over waits until one of them is over. */
const MAX_OTHERS = 256

/** The faults of one kind: what is so, and what has been reported of it. */
export interface FaultLog extends Disposable {
  /** Something is wrong; also where that is known. */
  begin(fault: Omit<Fault, 'alert' | 'since'>): void
  /** It is not, any more; also where it never was. */
  clear(subject: string): void
  /** It was not delivered: those of its faults that last are reported again, later. */
  undelivered(change: FaultChange): void
  /** the operator's own first */
  list(): readonly Fault[]
  /** how many found no room */
  unreported(): number
}

export interface FaultLogInit {
  readonly clock: Clock
  readonly alert: AlertName
  begun(fault: Fault): void
  cleared(fault: Fault): void
  /** Each fault once when it begins and once when it clears; what came and went before its turn is only counted. */
  notify(change: FaultChange): void
}

export function createFaultLog({ clock, alert, begun, cleared, notify }: FaultLogInit): FaultLog {
  const now = new Map<string, Fault>()
  const reported = new Map<string, Fault>()
  /** Those that found no room: at most as many as the node knows services. */
  const waiting = new Map<string, Fault>()
  let others = 0
  const bucket = createTokenBucket(NOTICE_RATE, () => clock.monotonic())
  let flapped = 0
  let timer: Timer | undefined
  let again: Timer | undefined

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
    const over = [...reported.values()].filter(({ subject }) => !now.has(subject))
    const fresh = [...now.values()].filter(({ subject }) => !reported.has(subject))
    if (over.length + fresh.length === 0) return
    bucket.take()
    for (const { subject } of over) reported.delete(subject)
    for (const fault of fresh) reported.set(fault.subject, fault)
    const counted = flapped
    flapped = 0
    const common = { alert, flapped: counted, unreported: waiting.size }
    if (over.length > 0) notify({ ...common, state: 'cleared', faults: ownFirst(over) })
    if (fresh.length > 0) notify({ ...common, state: 'begun', faults: ownFirst(fresh) })
  }

  function start(fault: Fault): void {
    // it was reported, has cleared unseen, and is back
    if (reported.has(fault.subject)) flapped++
    if (!fault.own) others++
    now.set(fault.subject, fault)
    begun(fault)
  }

  function startWaiting(): void {
    const [next] = waiting.values()
    if (next === undefined || others >= MAX_OTHERS) return
    waiting.delete(next.subject)
    start(next)
  }

  return {
    begin(given) {
      const { subject, own } = given
      if (now.has(subject) || waiting.has(subject)) return
      const fault = { ...given, alert, since: nowSeconds(clock) }
      // one stranger's many failures must not hide what is the operator's
      if (!own && others >= MAX_OTHERS) return void waiting.set(subject, fault)
      start(fault)
      changed()
    },
    clear(subject) {
      waiting.delete(subject)
      const fault = now.get(subject)
      if (fault === undefined) return
      now.delete(subject)
      if (!fault.own) others--
      if (!reported.has(subject)) flapped++
      cleared(fault)
      startWaiting()
      changed()
    },
    undelivered({ state, faults }) {
      if (state === 'cleared') return
      // what is over, or has been reported since, is another's
      for (const fault of faults) if (reported.get(fault.subject) === fault) reported.delete(fault.subject)
      again ??= clock.after(REPEAT_MS, () => {
        again = undefined
        changed()
      })
    },
    list: () => ownFirst([...now.values()]),
    unreported: () => waiting.size,
    [Symbol.dispose]() {
      timer?.cancel()
      again?.cancel()
    },
  }
}

function ownFirst(faults: readonly Fault[]): Fault[] {
  return [...faults.filter(({ own }) => own), ...faults.filter(({ own }) => !own)]
}
