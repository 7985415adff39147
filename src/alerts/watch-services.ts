import { type Clock, nowSeconds, type Timer } from '../base/clock.ts'
import { LruMap } from '../base/lru-map.ts'
import { safeText } from './notice.ts'
import type { Report, WatchedNode, WatchedService } from './types.ts'

/** Started again so often without being healthy in between, a service fails. */
const MAX_RESTARTS = 3
const MAX_COUNTED = 1024
/** Of those that failed before the start, so many at once: the node does other work in between. */
const PAGE = 100
/** Its run has failed, or is started again: only a healthy run ends the fault. */
const STAYS = new Set(['failed', 'accepted'])

type Components = {
  readonly clock: Clock
  readonly node: Pick<WatchedNode, 'address' | 'events' | 'service' | 'lists'>
  readonly report: Report
  onError(error: unknown): void
}

/**
 * Services whose run has failed, before the start of the node too, or is started again and again. `look`: those that are
 * gone are no fault.
 */
export function watchServices({ clock, node, report, onError }: Components): Disposable & { look(): void } {
  const { address, events, service, lists } = node
  const { begin, clear } = report
  /** restarts since a service was healthy */
  const restarts = new LruMap<string, number>(MAX_COUNTED)
  const failing = new Set<string>()
  const stack = new DisposableStack()

  const over = (id: string) => {
    restarts.delete(id)
    if (failing.delete(id)) clear('service-failing', id)
  }
  /** Nobody wants it to run, whatever became of its run: a failed run stays the state of such a service. */
  const isUnwanted = ({ supersededBy, stoppedBy, expires }: WatchedService) =>
    (supersededBy ?? stoppedBy) !== undefined || expires <= nowSeconds(clock)
  const fails = (id: string, given: string, problem: string) => {
    const known = current(id)
    if (known !== undefined && isUnwanted(known)) return
    failing.add(id)
    const name = safeText(given, 64)
    const summary = safeText(`the service "${name}" ${problem}`)
    const own = known?.author === address ? { own: true } : {}
    begin('service-failing', { subject: id, name, ...own, summary, next: `thundercloud status ${id}` })
  }
  const current = (id: string) => {
    try {
      return service(id)
    } catch {
      return undefined
    }
  }

  const hasFailed = (id: string, name: string, detail: string | undefined) =>
    fails(id, name, `has failed${detail === undefined ? '' : `: ${detail}`}`)

  let next: Timer | undefined
  stack.defer(() => next?.cancel())
  const lookBack = (cursor?: string) => {
    try {
      const page = lists.services({ states: ['failed'], limit: PAGE, cursor })
      for (const { id, name, run } of page.items) hasFailed(id, name, run?.detail)
      if (page.next !== undefined) next = clock.after(0, () => lookBack(page.next))
    } catch (error) {
      onError(error)
    }
  }

  stack.use(
    events.on('node:state', ({ id, name, state, detail }) => {
      if (state === 'failed') hasFailed(id, name, detail)
      else if (!STAYS.has(state)) over(id)
    }),
  )
  stack.use(events.on('execution:healthy', ({ service: id }) => over(id)))
  stack.use(
    events.on('execution:state', ({ service: id, state, restarts: count, detail }) => {
      if (state !== 'starting' || count === 0) return
      const since = (restarts.get(id) ?? 0) + 1
      restarts.set(id, since)
      if (since < MAX_RESTARTS) return
      const why = detail === undefined ? '' : `: ${detail}`
      fails(id, current(id)?.name ?? id, `was started ${since} times again without being healthy in between${why}`)
    }),
  )
  lookBack()
  return {
    look() {
      for (const id of failing) {
        const known = current(id)
        if (known === undefined || !STAYS.has(known.state) || isUnwanted(known)) over(id)
      }
    },
    [Symbol.dispose]: () => stack[Symbol.dispose](),
  }
}
