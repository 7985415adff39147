import type { Clock } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import type { Events } from '../../base/events.ts'
import type { Log } from '../../base/log.ts'
import type { Rng } from '../../base/rng.ts'
import type { Grant } from '../../base/verdict.ts'
import { SELF_TARGET } from '../../config/index.ts'
import type { Dormitory, Supervisor } from '../../execution/index.ts'
import type { NetworkEvents } from '../../network/index.ts'
import {
  type ClaimMesh,
  createPlacement,
  leavingFor,
  type OwnClaims,
  type PlacedServices,
  type Placement,
} from '../../placement/index.ts'
import type { Applier } from '../apply.ts'
import type { DrainState } from '../drain/drain-state.ts'
import type { Subject } from '../evaluate.ts'
import type { NodeFactsSource } from '../facts/node-facts.ts'
import type { Reevaluator } from '../reevaluation/reevaluate.ts'

export interface PlacementWatcherComponents {
  clock: Clock
  rng: Rng
  log: Log
  events: Pick<Events<NetworkEvents>, 'on'>
  mesh: ClaimMesh
  claims: OwnClaims
  supervisor: Pick<Supervisor, 'granted' | 'healthy' | 'failures' | 'stop'>
  facts: Pick<NodeFactsSource, 'running'>
  dormitory: Pick<Dormitory, 'state' | 'wake'>
  applier: Pick<Applier, 'standBy'>
  reevaluator: Pick<Reevaluator, 'claimed'>
  /** Undefined where it is over. */
  subjectOf(id: string): Subject | undefined
  isSuperseded(id: string): boolean
  drain: Pick<DrainState, 'active'>
  /** Older versions of it that run here. */
  olderRuns(subject: Subject): string[]
  /** Its verdict is journalled: the mesh and the publisher may be notified. */
  changed(id: string, redirect: boolean): void
}

export interface PlacementWatcher extends Placement {
  /** Before a run begins again that ended with the machine: others may have taken over. */
  mayBegin(service: string, options: { signal: AbortSignal }): Promise<void>
}

/** Carries out what placement decides: starts what is wanted here, stops what is not, wakes stand-bys. */
export function watchPlacement(
  components: PlacementWatcherComponents,
  init: { self: string; expectsPeers(): boolean; closing: AbortSignal },
): PlacementWatcher {
  const { log, events, claims, supervisor, facts, dormitory, applier, reevaluator, subjectOf, drain } = components
  const kindOf = (id: string) => subjectOf(id)?.signed.body.run.kind

  function* parts(): ReturnType<PlacedServices['parts']> {
    for (const { id, on } of dormitory.state().parked.values()) {
      if (on.some((one) => one.on === 'replica')) yield [id, 'standing-by']
    }
    const bound = new Set(facts.running().flatMap(({ id, own }) => (own ? [id] : [])))
    for (const { service, grant, ending } of supervisor.granted()) {
      if (ending) continue
      const asksSiblings = reachesSiblings(service, grant)
      if (!bound.has(service) && !(asksSiblings && components.isSuperseded(service))) {
        yield [service, supervisor.healthy(service) ? 'running' : 'starting']
        // what nobody places is asked about where its run has a use for the answers
      } else if (asksSiblings) yield [service, 'bound']
    }
  }

  /** May it see who else runs its service? */
  function reachesSiblings(id: string, { network }: Grant): boolean {
    if (network.mode === 'none') return false
    const granted = network.mode === 'allowlist' ? network.allow : subjectOf(id)?.signed.body.network
    return granted?.includes(SELF_TARGET) === true
  }

  async function begin(id: string): Promise<void> {
    let answered = false
    try {
      answered = await reevaluator.claimed(id, { signal: init.closing })
    } catch (error) {
      if (init.closing.aborted) return
      log.error('a service whose run is wanted was not started', { id, reason: messageOf(error) })
    }
    // what came of it has ended the claim; a runner that fails claims nothing
    if (claims.withdraw(id) && !answered) standBy(id, 'the runner of this node failed to answer')
  }

  function standBy(id: string, why: string): void {
    claims.withdraw(id)
    const subject = subjectOf(id)
    const result = subject && applier.standBy(subject, why)
    if (result === undefined) return
    components.changed(id, result.verdict.redirect)
    // what it claimed is free
    dormitory.wake({ on: 'capacity' })
  }

  /** The update runs elsewhere: the version before it is not needed here any longer. */
  function stopOlder(id: string, why: string): void {
    const subject = subjectOf(id)
    if (subject === undefined) return
    for (const older of components.olderRuns(subject)) {
      supervisor.stop(older, { why: `its newer version runs on other nodes: ${why}` }).catch((error: unknown) => {
        log.warn('the older version of a service could not be stopped', { id: older, reason: messageOf(error) })
      })
    }
  }

  const placement = createPlacement(
    {
      ...components,
      services: {
        parts,
        // an older version that runs until its update is healthy is nothing to be placed
        replicas: (id) => (components.isSuperseded(id) ? undefined : subjectOf(id)?.signed.body.replicas),
        leaving: (id) =>
          leavingFor({ failures: supervisor.failures(id), drained: drain.active && kindOf(id) === 'service' }),
        onWon: (id) => void begin(id),
        onLost: standBy,
        onVacant: (id) => dormitory.wake({ on: 'replica' }, [id]),
        onServed: stopOlder,
      },
    },
    init,
  )
  const subscriptions = [
    events.on('network:peer-connected', ({ peer }) => placement.onPeerConnected(peer)),
    events.on('network:peer-disconnected', ({ peer }) => placement.onPeerDisconnected(peer)),
  ]
  return {
    ...placement,
    async mayBegin(service, options) {
      const isPlaced =
        [...parts()].some(([id, part]) => id === service && part !== 'bound') && !components.isSuperseded(service)
      if (isPlaced) await placement.untilWanted(service, options)
    },
    async [Symbol.asyncDispose]() {
      for (const subscription of subscriptions) subscription[Symbol.dispose]()
      await placement[Symbol.asyncDispose]()
    },
  }
}
