import { messageOf, UnavailableError } from '../../base/errors.ts'
import type { ParkedService } from '../../base/parked-service.ts'
import type { WakeCondition } from '../../base/verdict.ts'
import { WAKE_BATCH } from './constants.ts'
import { bestFirst } from './order.ts'
import type { DormitoryComponents } from './types.ts'

/** Services that something has happened for, decided again in the order of their rank, a few at once. */
export interface WakeQueue extends AsyncDisposable {
  add(id: string, by: WakeCondition['on']): void
  idle(): Promise<void>
}

export function createWakeQueue(
  { log, decide, hasCapacity }: Pick<DormitoryComponents, 'log' | 'decide' | 'hasCapacity'>,
  init: { get(id: string): ParkedService | undefined },
): WakeQueue {
  /** what woke them: those that only capacity woke are not decided again while there is none */
  const due = new Map<string, Set<WakeCondition['on']>>()
  const ending = new AbortController()
  /** the best last */
  let ready: ParkedService[] = []
  let unsorted = false
  let work: Promise<void> | undefined

  /** The best of the due. Sorted once for all that were added together. */
  function next(): string[] {
    if (unsorted) {
      ready = [...due.keys()].flatMap((id) => init.get(id) ?? []).sort((a, b) => bestFirst(b, a))
      unsorted = false
    }
    const capacity = hasCapacity()
    const ids: string[] = []
    while (ids.length < WAKE_BATCH && ready.length > 0) {
      const { id } = ready.pop() as ParkedService
      const by = due.get(id)
      due.delete(id)
      if (by === undefined || init.get(id) === undefined) continue
      // the next run that ends wakes them again
      if (!capacity && by.size === 1 && by.has('capacity')) continue
      ids.push(id)
    }
    if (ready.length === 0 && !unsorted) due.clear()
    return ids
  }

  async function rounds(): Promise<void> {
    // what woke them finishes first
    await Promise.resolve()
    while (due.size > 0 && !ending.signal.aborted) {
      try {
        const ids = next()
        if (ids.length > 0) await decide(ids, { signal: ending.signal })
      } catch (error) {
        if (!ending.signal.aborted) log.warn('services that were woken stay parked', { reason: messageOf(error) })
      }
    }
    // here and not when the promise settles: an addition between the two starts new rounds
    work = undefined
  }

  return {
    add(id, by) {
      const reasons = due.get(id) ?? new Set()
      due.set(id, reasons.add(by))
      unsorted = true
      work ??= rounds()
    },
    idle: async () => {
      while (work !== undefined) await work
    },
    async [Symbol.asyncDispose]() {
      ending.abort(new UnavailableError('the node is closing'))
      await work
    },
  }
}
