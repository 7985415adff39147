import { raceSignal } from 'race-signal'
import type { AddressTexts } from '../../base/address-texts.ts'
import type { Clock } from '../../base/clock.ts'
import { messageOf, UnavailableError } from '../../base/errors.ts'
import type { Events } from '../../base/events.ts'
import type { Log } from '../../base/log.ts'
import { LruMap } from '../../base/lru-map.ts'
import type { WakeCondition } from '../../base/verdict.ts'
import type { Dormitory, ExecutionEvents } from '../../execution/index.ts'
import type { ServiceInUse, Trust, TrustChange, TrustEvents } from '../../trust/index.ts'
import { createCodePrefetch } from '../code-prefetch.ts'
import type { Subject } from '../evaluate.ts'
import type { AdmissionEvents } from '../events.ts'
import { type ReevaluationScope, scopeOf } from '../reevaluation/scope.ts'
import { trustSubjectOf, unsafeGrace, wakeOnTrustChange } from '../trust-subject.ts'
import { createTrustLookups } from './trust-lookup-retry.ts'

/** Services for which it is remembered whether their author was in the tree; others are looked up again. */
const MAX_SEEN = 16_384

export interface TrustWatcherComponents {
  clock: Clock
  log: Log
  events: Pick<Events<AdmissionEvents & ExecutionEvents & TrustEvents>, 'on'>
  trust: Pick<Trust, 'factsOf' | 'lookUp'>
  dormitory: Pick<Dormitory, 'all' | 'get' | 'wake'>
  /** Services whose run is under way. */
  running(): readonly string[]
  /** Undefined where it is over. */
  subjectOf(id: string): Subject | undefined
  /** Fetches the code of a service that may start soon. */
  prefetch(id: string, options: { signal: AbortSignal }): Promise<void>
  /** Decides again, in the background, about what neither runs nor is parked. */
  reevaluateIdle(what: ReevaluationScope): void
  /** Decides again about these, which run. */
  reevaluateRunning(ids: readonly string[]): Promise<unknown>
  texts: AddressTexts
}

export interface TrustWatcher extends AsyncDisposable {
  /**
   * Before a run begins: decides again where a statement that came since may forbid it. Rejects with the signal's reason
   * where the run is cancelled.
   */
  recheck(id: string, options: { signal: AbortSignal }): Promise<void>
  /** What ran when the node ended is decided again where what is known now speaks against it. */
  boot(): Promise<void>
  /** Whose code and author matter: what runs and what is parked. */
  servicesInUse(): ServiceInUse[]
  /** Has its author entered or left the trust tree since the last call? */
  treeMembershipChanged(id: string): boolean
}

/** What a statement that arrived, or expired, means for what is parked and what runs. */
export function watchTrust(components: TrustWatcherComponents): TrustWatcher {
  const { clock, log, events, trust, dormitory, running, subjectOf, prefetch, texts } = components
  let work: Promise<unknown> = Promise.resolve()
  const lastInTree = new LruMap<string, boolean>(MAX_SEEN)
  const closing = new AbortController()
  const fetches = createCodePrefetch({ log, prefetch }, { closing: closing.signal })
  const lookups = createTrustLookups({ clock, log, ask: lookUp }, { closing: closing.signal })

  /** The tree changes with each link; it matters to those whose author it lets in or out. */
  function treeMembershipChanged({ id, signed }: Subject): boolean {
    const { inTree } = trust.factsOf(trustSubjectOf(signed))
    const before = lastInTree.get(id)
    lastInTree.set(id, inTree)
    return before !== inTree
  }

  function concerns(subject: Subject, change: TrustChange): boolean {
    const { body } = subject.signed
    switch (change.on) {
      case 'code':
        return body.code.toString() === change.code
      case 'freeze':
        return texts.ofBytes(body.author) === change.address
      case 'tree':
        return treeMembershipChanged(subject)
    }
  }

  /** A statement that came as the node ended, or one that expired since. */
  function needsRecheck(id: string): boolean {
    const subject = subjectOf(id)
    if (subject === undefined) return false
    const facts = trust.factsOf(trustSubjectOf(subject.signed))
    return unsafeGrace(facts) !== undefined || !(facts.inTree || facts.quorum?.met === true)
  }

  function reevaluate(ids: readonly string[]): Promise<unknown> {
    if (ids.length === 0) return work
    const done = Promise.all([work, components.reevaluateRunning(ids)]).catch((error: unknown) => {
      if (!closing.signal.aborted)
        log.error('running services were not decided again', { ids, reason: messageOf(error) })
    })
    work = done
    return done
  }

  function onChanged(change: TrustChange): void {
    for (const { id, on } of dormitory.all()) {
      const subject = subjectOf(id)
      if (subject === undefined || !concerns(subject, change)) continue
      wakeOnTrustChange(dormitory, id, on)
      if (change.on === 'code') prefetchIfLikely(id, subject, on)
    }
    void reevaluate(
      running().filter((id) => {
        const subject = subjectOf(id)
        return subject !== undefined && concerns(subject, change)
      }),
    )
    components.reevaluateIdle(scopeOf(change))
  }

  /** What waits needs a statement; for what runs it is enough that the mesh could be asked. */
  async function lookUp(id: string, options: { signal: AbortSignal; fresh: boolean }): Promise<boolean> {
    const subject = subjectOf(id)
    const isParked = () => dormitory.get(id) !== undefined
    const runs = () => running().includes(id)
    if (subject === undefined || !(isParked() || runs())) return false
    const { complete } = await trust.lookUp(trustSubjectOf(subject.signed), options)
    return isParked() || (runs() && !complete)
  }

  /** What waits for another attestation of code that one trusted hub calls safe already may start soon. */
  function prefetchIfLikely(id: string, { signed }: Subject, on: readonly WakeCondition[]): void {
    if (!on.some((one) => one.on === 'quorum')) return
    const attestations = trust.factsOf(trustSubjectOf(signed)).attestations
    if (attestations.length > 0 && attestations.every(({ verdict }) => verdict === 'safe')) fetches.add(id)
  }

  function onParked(id: string): void {
    const subject = subjectOf(id)
    const parked = dormitory.get(id)
    if (subject === undefined || parked === undefined) return
    prefetchIfLikely(id, subject, parked.on)
    lookups.begin(id)
  }

  const subscriptions = [
    events.on('trust:changed', onChanged),
    events.on('node:parked', ({ id, on }) => {
      if (on.some((what) => what === 'quorum' || what === 'freeze' || what === 'delegation')) onParked(id)
    }),
    events.on('execution:state', ({ service, state }) => {
      if (state === 'running') lookups.begin(service)
    }),
  ]

  return {
    treeMembershipChanged(id) {
      const subject = subjectOf(id)
      return subject !== undefined && treeMembershipChanged(subject)
    },
    async recheck(id, { signal }) {
      signal.throwIfAborted()
      await raceSignal(reevaluate([id].filter(needsRecheck)), signal)
      signal.throwIfAborted()
    },
    async boot() {
      await reevaluate(running().filter(needsRecheck))
    },
    servicesInUse() {
      const ids = new Set([...running(), ...dormitory.all().map(({ id }) => id)])
      return [...ids].flatMap((id) => {
        const subject = subjectOf(id)
        if (subject === undefined) return []
        const { code, author } = subject.signed.body
        return [{ service: id, code: code.toString(), author: texts.ofBytes(author) }]
      })
    },
    async [Symbol.asyncDispose]() {
      for (const subscription of subscriptions) subscription[Symbol.dispose]()
      closing.abort(new UnavailableError('the node is stopping'))
      await Promise.all([lookups.idle(), work, fetches.idle()])
    },
  }
}
