import type { Clock } from '../base/clock.ts'
import type { Events } from '../base/events.ts'
import type { AlertName } from '../config/index.ts'
import { safeText } from './notice.ts'
import type { Probes, Report, WatchedEvents, WatchedNode } from './types.ts'
import { watchServices } from './watch-services.ts'

/** How often what sends no event is looked at. */
const LOOK_MS = 30_000
/** Asking other machines for the time costs them something. */
const CLOCK_MS = 600_000
/** A node that starts, or whose neighbours are all started again, is alone for a while. */
const ALONE_MS = 300_000
/** Lookups in a row of which a part failed. */
const MAX_FAILED_LOOKUPS = 3

type Components = {
  readonly clock: Clock
  readonly node: WatchedNode
  readonly probes: Probes
  readonly report: Report
  /** a look failed; the next is made */
  onError(error: unknown): void
}

/** Looks for faults, in the events of the node and on its machine, and says when they begin and end. */
export function watchFaults({ clock, node, probes, report, onError }: Components): Disposable {
  const stack = new DisposableStack()
  const services = stack.use(watchServices({ clock, node, report, onError }))
  stack.use(watchPolicy(node.events, report))
  stack.use(watchHubs(node.events, report))
  const look = createLook({ clock, node, probes, report })
  let busy = false
  const lookNow = () => {
    services.look()
    if (busy) return
    busy = true
    look()
      .catch(onError)
      .finally(() => {
        busy = false
      })
  }
  stack.use(clock.every(LOOK_MS, lookNow))
  stack.use(node.events.on('execution:executor', () => lookNow()))
  lookNow()
  return stack
}

type Looked = Pick<Components, 'clock' | 'node' | 'probes' | 'report'>

function createLook({ clock, node, probes, report }: Looked): () => Promise<void> {
  /** Those that could be used since the node started: one that was never there is nothing to wake for. */
  const seen = new Set<string>()
  const since = new Map<AlertName, number>()
  let clockLooked: number | undefined

  /** True from when it has been so for long. */
  const lasts = (alert: AlertName, isSo: boolean) => {
    if (!isSo) return void since.delete(alert)
    const from = since.get(alert) ?? clock.monotonic()
    since.set(alert, from)
    return clock.monotonic() - from >= ALONE_MS
  }
  const set = (alert: AlertName, summary: string | undefined, next: string, subject = '') => {
    if (summary === undefined) report.clear(alert, subject)
    else report.begin(alert, { subject, summary: safeText(summary), next })
  }

  return async () => {
    const { peers, executors } = await node.health()
    for (const { name, available, detail } of executors) {
      if (available) seen.add(name)
      const gone = !available && seen.has(name)
      set(
        'engine-gone',
        gone ? `the executor ${name} cannot be used: ${detail}` : undefined,
        'thundercloud doctor',
        name,
      )
    }
    const minutes = ALONE_MS / 60_000
    const alone = lasts('no-peers', peers === 0)
    set('no-peers', alone ? `the node has had no neighbour for ${minutes} minutes` : undefined, 'thundercloud doctor')
    const { state, because } = node.reachability()
    const cutOff = lasts('unreachable', state === 'none')
    set('unreachable', cutOff ? `no other node can reach this one: ${because}` : undefined, 'thundercloud doctor')
    set('disk-low', await probes.disk(), 'thundercloud code gc')
    if (clockLooked !== undefined && clock.monotonic() - clockLooked < CLOCK_MS) return
    clockLooked = clock.monotonic()
    set('clock-off', await probes.clock(), 'thundercloud doctor')
  }
}

/** The policy that the operator wanted last, and whether the runner decides. */
function watchPolicy(events: Pick<Events<WatchedEvents>, 'on'>, { begin, clear }: Report): Disposable {
  const stack = new DisposableStack()
  const refused = (reason: string) =>
    begin('policy-refused', {
      summary: safeText(`the policy was refused, and the one before stays in force: ${reason}`),
      next: 'thundercloud policy check',
    })
  const failing = (reason: string) =>
    begin('runner-failing', {
      summary: safeText(`the runner fails, and what it does not decide is neither run nor redirected: ${reason}`),
      next: 'thundercloud policy test',
    })
  stack.use(events.on('node:policy-refused', ({ reason }) => refused(reason)))
  stack.use(events.on('node:policy', () => clear('policy-refused')))
  stack.use(events.on('runner:died', ({ message }) => failing(message)))
  stack.use(events.on('runner:load-failed', ({ message, keepsOld }) => (keepsOld ? undefined : failing(message))))
  stack.use(
    events.on('node:verdict', ({ failure }) => {
      if (failure === undefined) clear('runner-failing')
      else failing(failure)
    }),
  )
  return stack
}

/** What hubs say, and what this node's own hub does. */
function watchHubs(events: Pick<Events<WatchedEvents>, 'on'>, { begin, clear }: Report): Disposable {
  const stack = new DisposableStack()
  let failedInRow = 0
  stack.use(
    events.on('trust:looked-up', ({ failed }) => {
      failedInRow = failed === 0 ? 0 : failedInRow + 1
      if (failed === 0) return clear('hubs-unreachable')
      if (failedInRow < MAX_FAILED_LOOKUPS) return
      const summary = 'what hubs say of code cannot be looked up in the mesh: the last lookups got no answer'
      begin('hubs-unreachable', { summary, next: 'thundercloud peers' })
    }),
  )
  stack.use(events.on('hub:examined', () => clear('hub-failing')))
  stack.use(
    events.on('hub:failed', ({ name, reason }) =>
      begin('hub-failing', {
        summary: safeText(`this hub gave no attestation of the code of "${safeText(name, 64)}": ${reason}`),
        next: 'thundercloud doctor',
      }),
    ),
  )
  return stack
}
