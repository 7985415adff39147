import { nowSeconds } from '../base/clock.ts'
import { messageOf } from '../base/errors.ts'
import { createDormitory } from '../execution/index.ts'
import { restoredAt } from '../journal/index.ts'
import { createApplier } from './apply.ts'
import { createServiceDecider } from './decide-service.ts'
import { createDrain } from './drain/drain.ts'
import { createEvaluator } from './evaluate.ts'
import { createLiveServices } from './live-services.ts'
import { createBlocks, type HeldService } from './operator/blocks.ts'
import { createOperatorOrders } from './operator/orders.ts'
import { createPause } from './operator/pause.ts'
import { createStateReader, mayRedirect, olderVersions } from './plan/state-reader.ts'
import { createBackgroundReevaluation } from './reevaluation/background-reevaluation.ts'
import { createPolicyChange } from './reevaluation/policy-change.ts'
import { createReevaluator } from './reevaluation/reevaluate.ts'
import type { ReevaluationScope } from './reevaluation/scope.ts'
import { createRuleCounters } from './rule-counters.ts'
import type { Admission, AdmissionComponents, AdmissionInit } from './types.ts'
import { watchDormitory } from './watchers/dormitory-watcher.ts'
import { watchPlacement } from './watchers/placement-watcher.ts'
import { watchTrust } from './watchers/trust-watcher.ts'

export type { Admission } from './types.ts'

export function createAdmission(components: AdmissionComponents, init: AdmissionInit): Admission {
  const { clock, rng, log, events, journal, facts, runner, supervisor, receipts, services, trust, texts, notify } =
    components
  const { claims, claimMesh: mesh } = components
  const { policy } = init
  const parts = new AsyncDisposableStack()
  const counters = createRuleCounters({ clock, log })
  const { subjectOf, isSuperseded, running } = createLiveServices({ clock, journal, services, supervisor })
  const orders = createOperatorOrders({
    ...{ drain: components.drain, pause: components.pause, blocks: components.blocks, texts },
    restoredAt: restoredAt(journal.meta),
    runsHere: (id) => supervisor.granted().some(({ service }) => service === id),
    olderOf: (subject) => olderVersions(journal.announcements, subject),
    mayRedirect: () => mayRedirect(policy().config),
  })
  const evaluator = createEvaluator({ clock, facts, runner, trust, texts, orders }, { policy })
  const verdictOf = (id: string) => journal.verdicts.latest(id)?.verdict

  function changed(id: string, redirect: boolean): void {
    // a version that was replaced is neither announced nor begun again
    if (isSuperseded(id)) dormitory.remove(id)
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
        onExpired: (parked, why) =>
          subjectOf(parked.id) === undefined ? removeParked(parked.id) : applier.unpark(parked, why),
      },
      {
        limits: () => {
          const { MAX, TTL_SECONDS } = policy().config.DORMITORY
          return { max: MAX, ttlMs: TTL_SECONDS * 1000 }
        },
      },
    ),
  )
  const isAlone = () => placement.isAlone()
  const reader = createStateReader({
    ...{ journal, evaluator, dormitory, runs: supervisor, claims, isAlone, subjectOf, trust, texts },
  })
  const onDisplaced = (id: string) => changed(id, verdictOf(id)?.redirect === true)
  const applier = createApplier(
    {
      ...{ clock, log, events, journal, reader, facts, dormitory, runs: supervisor, trust, texts, onDisplaced },
      claims: {
        claim: (id, grant, options) => placement.claim(id, grant, options),
        withdraw: (id) => void claims.withdraw(id),
      },
    },
    { policy },
  )
  const decide = createServiceDecider(
    { clock, log, events, journal, evaluator, applier, dormitory, receipts, counters, texts, orders },
    init,
  )
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
    live: (after, max) => journal.reevaluations.page({ on: 'all' }, after, nowSeconds(clock), max),
    forgotten: () => journal.forgotten(),
    subjectOf,
    changed,
    counters,
  })

  const trustWatcher = parts.use(
    watchTrust({
      clock,
      log,
      events,
      trust,
      dormitory,
      running,
      subjectOf,
      reevaluateRunning: (ids) => reevaluator.running(ids, { signal: init.closing }),
      reevaluateIdle,
      prefetch: components.prefetch,
      texts,
    }),
  )
  const background = parts.use(
    createBackgroundReevaluation({
      clock,
      log,
      events,
      journal,
      screen: reevaluator.screen,
      admit: reevaluator.admit,
      treeMembershipChanged: (id) => trustWatcher.treeMembershipChanged(id),
    }),
  )

  /** A statement matters to what is refused or redirected, too. */
  function reevaluateIdle(what: ReevaluationScope): void {
    try {
      background.schedule(what)
      background.resume()
    } catch (error) {
      log.error('some services were not decided again', { reason: messageOf(error) })
    }
  }

  /** Over, whatever it waited for: there is no verdict to change. */
  function removeParked(id: string): void {
    if (dormitory.remove(id)) notify(id)
  }

  parts.use(watchDormitory({ events, facts, dormitory, removeParked }))
  const placement = parts.use(
    watchPlacement(
      {
        ...{ clock, rng, log, events, mesh, claims, supervisor, facts, dormitory, applier, reevaluator, subjectOf },
        ...{ isSuperseded, changed, drain: components.drain },
        olderRuns: (subject) => reader.service(subject).older.filter((id) => running().includes(id)),
      },
      init,
    ),
  )

  const drain = parts.use(
    createDrain({
      ...{ clock, log, events, supervisor, facts, services, placement, dormitory, applier, subjectOf, isSuperseded },
      ...{ changed, notify, reevaluateIdle, state: components.drain },
      reevaluateRunning: (ids) => reevaluator.running(ids, { signal: init.closing }),
    }),
  )

  const pause = createPause({ events, state: components.pause, dormitory, reevaluateIdle })
  const blocks = parts.use(
    createBlocks(
      {
        ...{ clock, log, events, reevaluateIdle, list: components.blocks, disconnect: components.disconnect },
        held: heldServices,
        async reevaluate(held) {
          const ids = (runs: boolean) => held.flatMap((one) => (one.runs === runs ? [one.id] : []))
          await reevaluator.running(ids(true), { signal: init.closing })
          await reevaluator.parked(ids(false), { signal: init.closing })
        },
      },
      init,
    ),
  )

  /** What runs and what is parked, without SERVICES, which no verdict is about. */
  function heldServices(): HeldService[] {
    const own = new Set(facts.running().flatMap((one) => (one.own ? [one.id] : [])))
    const runs = new Set(running().filter((id) => !own.has(id)))
    const ids = [...runs, ...dormitory.all().flatMap(({ id }) => (runs.has(id) ? [] : [id]))]
    return ids.flatMap((id) => {
      const body = subjectOf(id)?.signed.body
      if (body === undefined) return []
      const { name, author, code } = body
      return { id, name, author: texts.ofBytes(author), code: code.toString(), runs: runs.has(id) }
    })
  }

  const policyChange = parts.use(
    createPolicyChange({ clock, log, events, journal, facts, supervisor, dormitory, reevaluator, background }, init),
  )

  async function boot(): Promise<void> {
    for (const { id } of dormitory.all()) if (subjectOf(id) === undefined) removeParked(id)
    dormitory.boot()
    if (policyChange.hasChanged()) await policyChange.reevaluateAll()
    else {
      for (const { id, on } of dormitory.all()) {
        // whether a replica is missing is a question to others
        if (on[0] !== undefined && on[0].on !== 'replica') dormitory.wake(on[0], [id])
      }
      await trustWatcher.boot()
      background.resume()
    }
    policyChange.remember()
    drain.boot()
    blocks.boot()
  }

  return {
    decide,
    drain,
    pause,
    blocks,
    reevaluation: reevaluator,
    dormitory,
    trustWatcher,
    mayBegin: (service, options) => placement.mayBegin(service, options),
    placementText: (service) => drain.waitText(service) ?? placement.text(service),
    claimants: (service) => placement.claimants(service),
    onAsked: (service, peer) => placement.onAsked(service, peer),
    reevaluateAll: () => policyChange.reevaluateAll(),
    backgroundIdle: () => background.idle(),
    boot,
    parkedState(id) {
      const parked = dormitory.get(id)
      return parked && { ...parked, until: dormitory.until(parked) }
    },
    removeParked,
    view: () => ({ hash: policy().hash, counts: counters.counts(), parked: dormitory.size }),
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  }
}
