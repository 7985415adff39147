import { type Clock, sleep } from '../../../base/clock.ts'
import { messageOf } from '../../../base/errors.ts'
import type { Log } from '../../../base/log.ts'
import { HELPER_HEAP_MIB } from '../../constants.ts'
import type { Plan, WarmClass, WarmStarts } from '../../types.ts'
import { classText, isOfClass, parkedProgramOf, unparkable } from './cold-reason.ts'
import { type ParkedProgram, type Slot, slotId } from './types.ts'

/** A shim is outside of the class's memory. */
const SHIM_BYTES = HELPER_HEAP_MIB * 2 ** 20
/** After a slot that could not be made, or ended by itself. */
const RETRY_MS = 30_000

export type WarmPoolInit = {
  park(id: string, parked: WarmClass | undefined): Promise<Slot>
  /** Ends what is left of a slot that no run has, and gives back its user. */
  remove(id: string): Promise<void>
  /** Which Node.js services run with now. */
  version(): Promise<string>
}

/** A slot for a plan, or none, and how its run begins; see `Run.start`. */
export type WarmStart = {
  readonly slot?: Slot | undefined
  readonly program?: ParkedProgram | undefined
  readonly start: string
}

/** Sandboxes that wait for runs. Each is used once, and another takes its place. */
export interface WarmPool extends AsyncDisposable {
  /**
   * Resolves when it is there, as far as it can be, and the rest is gone. `noClasses`: no control group here limits what one
   * would be granted.
   */
  keep(wanted: WarmStarts, options?: { renew?: boolean | undefined; noClasses?: boolean }): Promise<void>
  /** Who takes a slot removes it. */
  take(plan: Plan): Promise<WarmStart>
  /** Makes what is missing, in the background: a start that is under way comes first. */
  refill(): Promise<void>
}

export function createWarmPool({ clock, log }: { clock: Clock; log: Log }, init: WarmPoolInit): WarmPool {
  let wanted: WarmStarts = { classes: [], gateways: 0, freeBytes: () => 0 }
  let slots: Slot[] = []
  let noClasses = false
  const madeAt = clock.now()
  let made = 0
  let filling: Promise<void> | undefined
  /** kinds that could not be made, until they are tried again */
  const failed = new Set<string>()
  const closing = new AbortController()
  const removals = new Set<Promise<void>>()

  /** What is not there yet, the operator's classes in their order, then gateways; undefined: nothing, or there is no memory. */
  function missing(): { parked: WarmClass | undefined } | undefined {
    if (closing.signal.aborted) return undefined
    const free = wanted.freeBytes() - slots.reduce((sum, { parked }) => sum + bytesOf(parked), 0)
    const kinds = [
      ...wanted.classes.map((parked) => ({ parked, count: parked.count })),
      { parked: undefined, count: wanted.gateways },
    ]
    return kinds.find(
      ({ parked, count }) => bytesOf(parked) <= free && countOf(parked) < count && !failed.has(textOf(parked)),
    )
  }

  const countOf = (parked: WarmClass | undefined) => slots.filter((slot) => isSame(slot.parked, parked)).length

  async function fill(): Promise<void> {
    try {
      for (let next = missing(); next !== undefined; next = missing()) await makeSlot(next.parked)
    } finally {
      filling = undefined
    }
  }

  async function makeSlot(parked: WarmClass | undefined): Promise<void> {
    const id = slotId(madeAt, ++made)
    try {
      const slot = await init.park(id, parked)
      slots.push(slot)
      slot.answer.catch(() => lose(slot))
      trim()
    } catch (error) {
      log.warn('a sandbox could not be made ready', { for: textOf(parked), reason: messageOf(error) })
      failed.add(textOf(parked))
      refillLater()
      await init.remove(id).catch(warn)
    }
  }

  function refillLater(): void {
    sleep(clock, RETRY_MS, { signal: closing.signal }).then(
      () => {
        failed.clear()
        void refill()
      },
      () => {},
    )
  }

  /** A slot that has ended by itself while nothing has used it. */
  function lose(slot: Slot): void {
    if (!slots.includes(slot)) return
    log.warn('a sandbox that was ready has ended', { slot: slot.id })
    drop(slot)
    refillLater()
  }

  function drop(slot: Slot): void {
    slots = slots.filter((other) => other !== slot)
    slot.leave()
    slot.order.destroy()
    const removal = init.remove(slot.id).catch(warn)
    removals.add(removal)
    void removal.then(() => removals.delete(removal))
  }

  /** Throws away what is more than is wanted, the youngest first, or more than there is memory for. */
  function trim(): void {
    let free = wanted.freeBytes()
    const kept: Slot[] = []
    for (const slot of slots) {
      const { parked } = slot
      const count =
        parked === undefined ? wanted.gateways : (wanted.classes.find((one) => isSame(one, parked))?.count ?? 0)
      if (kept.filter((other) => isSame(other.parked, parked)).length < count && bytesOf(parked) <= free) {
        kept.push(slot)
        free -= bytesOf(parked)
      } else drop(slot)
    }
  }

  function use(slot: Slot): Slot {
    slots = slots.filter((other) => other !== slot)
    return slot
  }

  /** Why no slot has a Node.js for this plan. */
  function classReason(plan: Plan): string {
    if (noClasses) return 'no control group limits memory and processes here'
    if (wanted.classes.some((one) => isOfClass(plan, one))) return 'no sandbox of its class was ready'
    return `LIMITS.WARM has no class with its grant: ${classText(plan.grant)}`
  }

  function refill(): Promise<void> {
    if (missing() !== undefined) filling ??= fill()
    return filling ?? Promise.resolve()
  }

  function warn(error: unknown): void {
    log.warn('a sandbox that was ready left something behind', { reason: messageOf(error) })
  }

  return {
    async keep(next, { renew = false, noClasses: none = false } = {}) {
      wanted = next
      noClasses = none
      if (renew) for (const slot of slots) drop(slot)
      trim()
      await refill()
      await Promise.all(removals)
    },
    async take(plan) {
      const never = unparkable(plan)
      if (never !== undefined) return { start: `cold start: ${never}` }
      const version = await init.version().catch(() => undefined)
      for (const slot of slots) if (slot.version !== version) drop(slot)
      const answer = parkedProgramOf(plan)
      const parked = slots.find((slot) => slot.parked !== undefined && isOfClass(plan, slot.parked))
      if ('program' in answer && parked !== undefined) {
        return { slot: use(parked), program: answer.program, start: 'warm start' }
      }
      const reason = 'coldReason' in answer ? answer.coldReason : classReason(plan)
      const gateway = slots.find((slot) => slot.parked === undefined)
      if (gateway === undefined) return { start: `cold start: ${reason}` }
      return { slot: use(gateway), start: `its gateway was ready, its program started cold: ${reason}` }
    },
    refill,
    async [Symbol.asyncDispose]() {
      closing.abort()
      for (const slot of slots) drop(slot)
      await filling
      for (const slot of slots) drop(slot)
      await Promise.all(removals)
    },
  }
}

function bytesOf(parked: WarmClass | undefined): number {
  return SHIM_BYTES + (parked?.memoryBytes ?? 0)
}

/** As the operator writes it. */
function textOf(parked: WarmClass | undefined): string {
  return parked === undefined ? 'a gateway' : classText(parked)
}

function isSame(a: WarmClass | undefined, b: WarmClass | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return a.memoryBytes === b.memoryBytes && a.diskBytes === b.diskBytes && a.pids === b.pids
}
