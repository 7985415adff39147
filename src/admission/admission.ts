import type { AddressTexts } from '../base/address-texts.ts'
import { type Clock, nowSeconds } from '../base/clock.ts'
import { messageOf } from '../base/errors.ts'
import type { Events } from '../base/events.ts'
import type { Log } from '../base/log.ts'
import type { WakeCondition } from '../base/verdict.ts'
import type { Policy } from '../config/index.ts'
import type { ExecutionEvents } from '../execution/index.ts'
import { createDormitory, type Dormitory, type Supervisor } from '../execution/index.ts'
import type { IntakeEvents } from '../intake/index.ts'
import type { Journal } from '../journal/index.ts'
import type { NetworkEvents } from '../network/index.ts'
import type { RunnerEvents } from '../runner/index.ts'
import type { Receipts } from '../services/receipts.ts'
import type { Services } from '../services/registry.ts'
import type { NotifyState } from '../services/state-notifier.ts'
import type { Trust, TrustEvents } from '../trust/index.ts'
import { createApplier } from './apply.ts'
import { createBackgroundReevaluation, type ReevaluationScope } from './background-reevaluation.ts'
import { createServiceDecider, type ServiceDecider, subjectOf as subjectIn } from './decide-service.ts'
import { createEvaluator, type EvaluatorComponents, type Subject } from './evaluate.ts'
import type { AdmissionEvents } from './events.ts'
import type { NodeFactsSource } from './node-facts.ts'
import { createReevaluator } from './reevaluate.ts'
import { watchReplicas } from './replica-watcher.ts'
import { createRuleCounters } from './rule-counters.ts'
import { createStateReader } from './state-reader.ts'
import { type TrustWatcher, watchTrust } from './trust-watcher.ts'
import type { Applied, PolicyView, Reevaluation } from './types.ts'

/** Under this name the journal remembers the policy by which everything was decided last. */
const LAST_POLICY = 'policy'

/** A reload loads the runner first and puts its policy in force at once; this is long after. */
const AFTER_SWAP_MS = 250

export interface AdmissionComponents {
  clock: Clock
  log: Log
  events: Pick<
    Events<AdmissionEvents & RunnerEvents & ExecutionEvents & IntakeEvents & TrustEvents & NetworkEvents>,
    'emit' | 'on'
  >
  journal: Journal
  facts: NodeFactsSource
  runner: EvaluatorComponents['runner']
  supervisor: Pick<Supervisor, 'run' | 'stop' | 'granted' | 'free'>
  receipts: Receipts
  services: Services
  trust: Pick<Trust, 'factsOf' | 'lookUp'>
  /** Fetches the code of a service that may start soon. */
  prefetch(id: string, options: { signal: AbortSignal }): Promise<void>
  texts: AddressTexts
  notify: NotifyState
  /** Nodes that say they run a service, or have run it; counting may end at `enough`. */
  count(id: string, enough: number, options: { signal: AbortSignal }): Promise<number>
}

/** Everything between an announcement and what this node does with it, now and again later. */
export interface Admission extends AsyncDisposable {
  readonly decide: ServiceDecider
  readonly reevaluation: Reevaluation
  readonly dormitory: Dormitory
  readonly trustWatcher: Pick<TrustWatcher, 'settled' | 'servicesInUse'>
  /** Decides again about everything, and remembers by which policy. A failure is logged: the policy is in force. */
  reevaluateAll(): Promise<Applied>
  /** Resolves when all that is decided again in the background is done. */
  backgroundIdle(): Promise<void>
  /** Takes up the sleepers of the node's last life; all is decided again where the policy changed while it was away. */
  boot(): Promise<void>
  /** Where it sleeps, if it does; ms. */
  parkedState(id: string): { since: number; until: number; on: readonly WakeCondition[] } | undefined
  /** The operator has ended it here. */
  removeParked(id: string): void
  view(): PolicyView
}

export function createAdmission(
  components: AdmissionComponents,
  init: { policy(): Policy; closing: AbortSignal },
): Admission {
  const { clock, log, events, journal, facts, supervisor, services, notify, trust, texts } = components
  const { policy } = init
  const parts = new AsyncDisposableStack()
  const counters = createRuleCounters({ clock, log })
  const evaluator = createEvaluator(components, { policy })

  /** What is live, and a version that was replaced as long as it runs: its update has failed, or is not healthy yet. */
  function subjectOf(id: string): Subject | undefined {
    const entry = services.get(id)
    if (entry === undefined || journal.stops.has(id)) return undefined
    if (entry.record.state !== 'live' && !(entry.record.state === 'superseded' && runsHere(id))) return undefined
    return entry.record.expires * 1000 > clock.now() ? subjectIn(entry) : undefined
  }

  function runsHere(id: string): boolean {
    return supervisor.granted().some(({ service, ending }) => service === id && !ending)
  }

  function changed(id: string, redirect: boolean): void {
    // a version that was replaced is neither told to the mesh nor begun again
    if (services.get(id)?.record.state === 'superseded') dormitory.remove(id)
    else events.emit('admission:redirect-changed', { id, redirect })
    notify(id)
  }

  const dormitory = parts.use(
    createDormitory(
      {
        clock,
        log,
        store: journal.parked,
        decide: async (ids, options) => void (await reevaluator.parked(ids, options)),
        hasCapacity: () => Object.values(supervisor.free()).every((amount) => amount > 0),
        onExpired: (sleeper, why) =>
          subjectOf(sleeper.id) === undefined ? leave(sleeper.id) : applier.unpark(sleeper, why),
      },
      {
        limits: () => {
          const { MAX, TTL_SECONDS } = policy().config.DORMITORY
          return { max: MAX, ttlMs: TTL_SECONDS * 1000 }
        },
      },
    ),
  )
  const verdictOf = (id: string) => journal.verdicts.latest(id)?.verdict
  const reader = createStateReader({ journal, evaluator, dormitory, runs: supervisor, subjectOf, trust, texts })
  const onDisplaced = (id: string) => changed(id, verdictOf(id)?.redirect === true)
  const applier = createApplier(
    { clock, log, events, journal, reader, facts, dormitory, runs: supervisor, trust, texts, onDisplaced },
    { policy },
  )
  const decide = createServiceDecider({ ...components, evaluator, applier, dormitory, counters }, init)
  const reevaluator = createReevaluator({
    clock,
    log,
    events,
    facts,
    evaluator,
    applier,
    reader,
    dormitory,
    granted: () => supervisor.granted(),
    verdictOf,
    trust,
    texts,
    live: (after, max) => journal.reconsiderations.page({ on: 'all' }, after, nowSeconds(clock), max),
    forgotten: () => journal.forgotten(),
    subjectOf,
    changed,
    counters,
  })

  const trustWatcher = parts.use(
    watchTrust({
      ...components,
      dormitory,
      running: () => supervisor.granted().flatMap(({ service, ending }) => (ending ? [] : [service])),
      subjectOf,
      reevaluateRunning: (ids) => reevaluator.running(ids, { signal: init.closing }),
      reevaluateIdle,
    }),
  )
  const backgroundReevaluation = parts.use(
    createBackgroundReevaluation({
      ...components,
      screen: reevaluator.screen,
      admit: reevaluator.admit,
      isMoved: (id) => trustWatcher.isMoved(id),
    }),
  )

  /** A word that concerns what is refused or passed on, too. */
  function reevaluateIdle(what: ReevaluationScope): void {
    try {
      backgroundReevaluation.schedule(what)
      backgroundReevaluation.resume()
    } catch (error) {
      log.error('not everything is decided again', { reason: messageOf(error) })
    }
  }

  /** Over, whatever it waited for: there is no verdict to change. */
  function leave(id: string): void {
    if (dormitory.remove(id)) notify(id)
  }

  async function onFreed(id: string): Promise<void> {
    facts.forget(id)
    await facts.refreshMachine()
    dormitory.wake({ on: 'capacity' })
    // while its own run was ending, nothing could wake it
    const own = dormitory.get(id)?.on[0]
    if (own !== undefined) dormitory.wake(own, [id])
  }

  /** The runner's code was saved. Where a reload swapped it, that decides again itself, by the policy that it brings. */
  function onSwapped(): void {
    const seen = policy()
    clock.after(AFTER_SWAP_MS, () => {
      if (policy() === seen && !init.closing.aborted) void reevaluateAll()
    })
  }

  parts.use(
    events.on('runner:loaded', ({ swapped }) => {
      if (swapped) onSwapped()
    }),
  )
  parts.use(events.on('facts:capacity-grown', () => dormitory.wake({ on: 'capacity' })))
  parts.use(events.on('facts:executor-available', ({ executor }) => dormitory.wake({ on: 'executor', executor })))
  parts.use(events.on('execution:freed', ({ service }) => void onFreed(service)))
  parts.use(
    events.on('execution:state', ({ state }) => {
      if (state === 'running') void facts.refreshMachine()
    }),
  )
  parts.use(events.on('intake:superseded', ({ old }) => leave(old)))
  parts.use(
    events.on('intake:stopped', ({ ids }) => {
      for (const id of ids) leave(id)
    }),
  )
  parts.use(
    watchReplicas(
      { clock, log, events, dormitory, wanted: (id) => subjectOf(id)?.signed.body.replicas, count: components.count },
      init,
    ),
  )

  async function reevaluateAll(): Promise<Applied> {
    facts.forget()
    try {
      const { hash } = policy()
      backgroundReevaluation.schedule({ on: 'all' })
      const background = journal.reconsiderations.count(nowSeconds(clock))
      const changes = await reevaluator.all({ signal: init.closing })
      journal.meta.set(LAST_POLICY, hash)
      return { changes, background: Math.max(0, background - supervisor.granted().length - dormitory.size) }
    } catch (error) {
      if (!init.closing.aborted) log.error('not everything was decided again', { reason: messageOf(error) })
      return { changes: [], background: 0 }
    } finally {
      backgroundReevaluation.resume()
    }
  }

  return {
    decide,
    reevaluation: reevaluator,
    dormitory,
    trustWatcher,
    reevaluateAll,
    backgroundIdle: () => backgroundReevaluation.idle(),
    async boot() {
      for (const { id } of dormitory.all()) if (subjectOf(id) === undefined) leave(id)
      dormitory.boot()
      const last = journal.meta.get(LAST_POLICY)
      if (last !== undefined && last !== policy().hash) await reevaluateAll()
      else {
        for (const { id, on } of dormitory.all()) if (on[0] !== undefined) dormitory.wake(on[0], [id])
        await trustWatcher.boot()
        backgroundReevaluation.resume()
      }
      journal.meta.set(LAST_POLICY, policy().hash)
    },
    parkedState(id) {
      const sleeper = dormitory.get(id)
      return sleeper && { ...sleeper, until: dormitory.until(sleeper) }
    },
    removeParked: leave,
    view: () => ({ hash: policy().hash, counts: counters.counts(), parked: dormitory.size }),
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  }
}
