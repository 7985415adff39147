import { dispositionOf } from '../../admission/disposition.ts'
import type { NodeEvents, ServiceView } from '../../node/index.ts'
import { decidingRule } from '../deciding-rule.ts'
import type { SimEvent } from '../events.ts'
import type { ServiceNumbers } from './service-numbers.ts'

/** What happened in a whole node, in the words of all engines. */
export interface Translator {
  /** Nothing where the event says nothing that scenarios know of. */
  translate<Name extends keyof NodeEvents>(at: At, event: Name, detail: NodeEvents[Name]): readonly SimEvent[]
  /** A node is up again, with these services: what ran when it was killed is taken up, but after a power cut. */
  resumed(at: At, services: readonly Resumed[], powerCut: boolean): readonly SimEvent[]
  /** The code of a service, as statements name it. */
  register(service: number, code: string): void
}

/** What a node that is up again says of a service. */
export type Resumed = Pick<ServiceView, 'id' | 'supersededBy' | 'stoppedBy'> & {
  readonly run?: { readonly state: string } | undefined
}

type At = { readonly ms: number; readonly node: number }
type TranslatorInit = {
  /** whose peer id it is; -1 = nobody's */
  readonly nodeOf: (peer: string) => number
  readonly isTask: (service: number) => boolean
  readonly versions: Pick<ServiceNumbers, 'learn' | 'numberOf' | 'upTo'>
}

const ENDS: Readonly<Record<string, 'ended' | 'failed'>> = { exited: 'ended', stopped: 'ended', failed: 'failed' }

/** Events of nodes that say something. */
export const TRANSLATED: ReadonlySet<string> = new Set<keyof NodeEvents>([
  ...(['intake:received', 'intake:better', 'intake:emitted', 'intake:stopped', 'intake:refused'] as const),
  ...(['node:verdict', 'node:parked', 'node:woken', 'trust:statement', 'execution:state'] as const),
  ...(['network:excluded', 'network:peer-disconnected'] as const),
])

export function createTranslator({ nodeOf, isTask, versions }: TranslatorInit): Translator {
  const codes = new Map<string, number>()
  const hopsOf = new Map<string, number>()
  const bestOf = new Map<string, number>()
  /** runs that have started: a node that comes back takes them up again */
  const started = new Set<string>()

  const serviceOf = versions.numberOf
  function known(views: readonly Resumed[]): number[] {
    const numbers = views.flatMap(({ id }) => serviceOf(id) ?? [])
    return [...new Set(numbers)].sort((a, b) => a - b)
  }
  /** Of an event that is about no service of the scenario: nothing. */
  const about = (service: number | undefined, make: (service: number) => readonly SimEvent[]): readonly SimEvent[] =>
    service === undefined ? [] : make(service)

  const handlers: { [Name in keyof NodeEvents]?: (at: At, detail: NodeEvents[Name]) => readonly SimEvent[] } = {
    'intake:received': (at, { id, name, kind, seq, from: peer, depth }) => {
      const service = kind === 'service' ? versions.learn(id, name, seq) : undefined
      if (service === undefined) return []
      const from = peer === undefined ? at.node : nodeOf(peer)
      const hops = from === at.node ? 0 : (hopsOf.get(`${service} ${from}`) ?? 0) + 1
      hopsOf.set(`${service} ${at.node}`, hops)
      bestOf.set(`${service} ${at.node}`, depth)
      return [
        { ...at, event: 'delivered', service, depth, from, hops },
        ...versions
          .upTo(name, seq)
          .filter((older) => older !== service)
          .map((older) => ({ ...at, event: 'superseded', service: older, by: service }) as const),
      ]
    },
    'intake:better': (at, { id, depth }) =>
      about(serviceOf(id), (service) => {
        bestOf.set(`${service} ${at.node}`, depth)
        return [{ ...at, event: 'better', service, depth }]
      }),
    'node:verdict': (at, { id, verdict }) =>
      about(serviceOf(id), (service) => {
        const depth = bestOf.get(`${service} ${at.node}`) ?? 0
        const { redirect } = verdict
        const rule = decidingRule(verdict)
        return [{ ...at, event: 'verdict', service, verdict: dispositionOf(verdict), redirect, rule, depth }]
      }),
    'intake:emitted': (at, { id, depth }) =>
      about(serviceOf(id), (service) => [{ ...at, event: 'emitted', service, depth }]),
    'node:parked': (at, { id, on }) => about(serviceOf(id), (service) => [{ ...at, event: 'parked', service, on }]),
    'node:woken': (at, { id, to }) => about(serviceOf(id), (service) => [{ ...at, event: 'woken', service, to }]),
    'intake:stopped': (at, { name, seq }) =>
      versions.upTo(name, seq).map((service) => ({ ...at, event: 'revoked', service }) as const),
    'trust:statement': (at, { kind, about: code, says }) =>
      about(kind === 'attestation' ? codes.get(code) : undefined, (service) => [
        { ...at, event: 'attested', service, verdict: says === 'unsafe' ? 'unsafe' : 'safe' },
        ...(says === 'unsafe' ? [{ ...at, event: 'revoked', service } as const] : []),
      ]),
    'execution:state': (at, { service: id, runId, state }) =>
      about(serviceOf(id), (service) => {
        // one that starts does not go on
        if (state === 'starting') started.delete(runId)
        const end = ENDS[state]
        if (end !== undefined) return started.has(runId) ? [{ ...at, event: 'run', service, state: end }] : []
        // a task that is found again does not start again
        if (state !== 'running' || (started.has(runId) && isTask(service))) return []
        started.add(runId)
        return [{ ...at, event: 'run', service, state }]
      }),
    'intake:refused': (at, { from }) => (from === undefined ? [] : [{ ...at, event: 'rejected', from: nodeOf(from) }]),
    'network:peer-disconnected': (at, { peer }) => [{ ...at, event: 'disconnected', peer: nodeOf(peer) }],
    'network:excluded': (at, { peer }) => [{ ...at, event: 'graylisted', peer: nodeOf(peer) }],
  }

  return {
    resumed(at, views, powerCut) {
      const services = known(views)
      if (powerCut)
        return [
          { ...at, event: 'joined' },
          { ...at, event: 'restored', services, powerCut: true },
        ]
      const taken = views.filter(({ run }) => run?.state === 'running')
      const over = known(views.filter(({ supersededBy, stoppedBy }) => (supersededBy ?? stoppedBy) !== undefined))
      const started = known(views.filter(({ run }) => run !== undefined))
      return [
        { ...at, event: 'joined' },
        { ...at, event: 'restored', services, over, started },
        ...taken.flatMap(({ id }) =>
          about(serviceOf(id), (service) =>
            isTask(service) ? [] : [{ ...at, event: 'run', service, state: 'running' }],
          ),
        ),
      ]
    },
    register: (service, code) => void codes.set(code, service),
    translate: (at, event, detail) => handlers[event]?.(at, detail) ?? [],
  }
}
