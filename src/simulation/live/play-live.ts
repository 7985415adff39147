import { peerIdOf } from '../../../protocols/address.ts'
import { type Clock, sleep } from '../../base/clock.ts'
import type { NodeEvents } from '../../node/index.ts'
import type { SimEvent } from '../events.ts'
import { factsOf } from '../facts.ts'
import { identityOf } from '../plan/identity.ts'
import type { Plan } from '../plan/plan.ts'
import type { Action } from '../plan/timeline.ts'
import { createServiceNumbers } from '../whole/service-numbers.ts'
import { createTranslator } from '../whole/translate.ts'
import { createLiveActor } from './carry-out.ts'
import { createLiveMesh, type MeshLine } from './mesh.ts'
import type { Usage } from './messages.ts'
import { createTimeOrder } from './time-order.ts'

/** From the last connection to the scenario's first moment: gossip has made its mesh. */
const SETTLE_MS = 5000
/** How often events are put in order, and it is looked whether all is quiet. */
const LOOK_MS = 100
/** Processes tell how far they are; one that does not for so long is not waited for. */
const LATEST_MS = 5000

type LiveInit = {
  readonly plan: Plan
  readonly processes: number
  /** for the folders of all nodes */
  readonly dir: string
  readonly signal?: AbortSignal | undefined
  readonly onEvent: (event: SimEvent) => void
  readonly onProgress?: ((ms: number) => void) | undefined
}

/** Plays a scenario with real nodes, in real time. */
export async function playLive({ clock }: { clock: Clock }, init: LiveInit): Promise<Usage & { endedMs: number }> {
  const { plan, processes, dir, signal, onEvent } = init
  const { scenario, timeline } = plan
  const numbers = new Map(
    Array.from({ length: scenario.nodes }, (_, node) => [
      peerIdOf(identityOf(scenario.seed, node).signer.address),
      node,
    ]),
  )
  const { serviceOf } = factsOf(plan, true, 'live')
  const versions = createServiceNumbers()
  const { translate, register, resumed } = createTranslator({
    versions,
    nodeOf: (peer) => numbers.get(peer) ?? -1,
    isTask: (service) => serviceOf(service).kind === 'task',
  })
  let began = Number.POSITIVE_INFINITY
  const ms = () => clock.monotonic() - began
  let busyMs = 0
  const failure = Promise.withResolvers<never>()
  failure.promise.catch(() => {})
  const depths = new Map(timeline.flatMap((one) => (one.do === 'publish' ? [[one.service, one.of] as const] : [])))
  /** nodes that were there before: the first start is none that scenarios tell of */
  const known = new Set<number>()

  /** This process is the last source. */
  const own = processes
  const order = createTimeOrder<MeshLine | SimEvent>(processes + 1, (at, item) => {
    for (const event of eventsOf(at - began, item)) if (event.ms >= 0) onEvent(event)
  })
  function eventsOf(at: number, item: MeshLine | SimEvent): readonly SimEvent[] {
    if ('node' in item) return [{ ...item, ms: at }]
    if ('event' in item) {
      const [, node, name, detail] = item.event
      const found = translate({ ms: at, node }, name as keyof NodeEvents, detail as never)
      if (found.some(({ event }) => event === 'delivered')) busyMs = Math.max(busyMs, at)
      return found
    }
    if ('published' in item) {
      const [, node, service, code] = item.published
      register(service, code)
      const { version, depth } = actor.publicationOf(service)
      return [{ ms: at, node, event: 'published', service, version, depth }]
    }
    if (!('up' in item)) return []
    const [, node, services] = item.up
    if (known.has(node)) return resumed({ ms: at, node }, services, false)
    known.add(node)
    return []
  }

  await using mesh = createLiveMesh(
    { clock },
    {
      ...{ plan, processes, dir, onLost: failure.reject },
      onLine(source, line) {
        if ('mark' in line) return order.mark(source, line.mark)
        const [at] = 'event' in line ? line.event : 'published' in line ? line.published : line.up
        order.add(source, at, line)
      },
    },
  )
  const actor = createLiveActor(
    { mesh, versions },
    { say: (event) => order.add(own, clock.monotonic(), { ms: 0, ...event } as SimEvent), depths },
  )
  using _look = clock.every(LOOK_MS, () => {
    const now = clock.monotonic()
    order.mark(own, now)
    // one that crashed, or is too busy to say anything, keeps the others waiting no longer
    for (let source = 0; source < processes; source++) order.mark(source, now - LATEST_MS)
    if (ms() > 0) init.onProgress?.(ms())
  })
  const stopped = aborted(signal)
  stopped.catch(() => {})
  const within = <T>(work: Promise<T>) => Promise.race([work, failure.promise, stopped])

  await within(mesh.start())
  await within(sleep(clock, SETTLE_MS))
  began = clock.monotonic()
  const quietMs = (scenario.stop.quietSeconds ?? Number.POSITIVE_INFINITY) * 1000
  /** Answers whether it came so far: it ends before where all is quiet. */
  const reach = async (target: number) => {
    while (ms() < target) {
      if (ms() - busyMs >= quietMs) return false
      await within(sleep(clock, Math.min(LOOK_MS, Math.max(0, target - ms()))))
    }
    return true
  }
  const play = async (actions: readonly Action[]) => {
    for (const action of actions) {
      if (!(await reach(action.ms))) return
      busyMs = ms()
      actor.carryOut(action).catch(failure.reject)
    }
    await reach(scenario.seconds * 1000)
  }
  try {
    await play(timeline)
    const endedMs = ms()
    return { endedMs, ...(await within(mesh.usage())) }
  } finally {
    order.flush()
  }
}

function aborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    if (signal?.aborted) reject(signal.reason)
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
