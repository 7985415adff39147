import type { Clock, Timer } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import type { Emitter } from '../../base/events.ts'
import type { Log } from '../../base/log.ts'
import type { Dormitory, Granted, Supervisor } from '../../execution/index.ts'
import type { Placement } from '../../placement/index.ts'
import type { Services } from '../../services/registry.ts'
import type { Applier } from '../apply.ts'
import type { Subject } from '../evaluate.ts'
import type { AdmissionEvents } from '../events.ts'
import type { NodeFactsSource } from '../facts/node-facts.ts'
import type { ReevaluationScope } from '../reevaluation/scope.ts'
import type { DrainState } from './drain-state.ts'
import type { Drain, DrainWait } from './types.ts'

const DEFAULT_DEADLINE_MS = 3_600_000
const LOOK_EVERY_MS = 1_000

const CUT = 'this node is drained, and its deadline was over'
const NOT_BEGUN = 'this node is drained, and begins no run'
const OWN_LAST = 'this node is drained, and nothing else runs here'

export interface DrainComponents {
  clock: Clock
  log: Log
  events: Emitter<AdmissionEvents>
  state: DrainState
  supervisor: Pick<Supervisor, 'granted' | 'healthy' | 'stop'>
  facts: Pick<NodeFactsSource, 'running'>
  services: Pick<Services, 'get'>
  placement: Pick<Placement, 'text'>
  dormitory: Pick<Dormitory, 'wake'>
  applier: Pick<Applier, 'drained'>
  subjectOf(id: string): Subject | undefined
  isSuperseded(id: string): boolean
  /** Its verdict is journalled: the mesh and the publisher may be notified. */
  changed(id: string, redirect: boolean): void
  /** Its publisher may be notified. */
  notify(id: string): void
  /** Decides again about these of those that run. */
  reevaluateRunning(ids: readonly string[]): Promise<unknown>
  /** Decides again about what neither runs nor is parked, in the background. */
  reevaluateIdle(scope: ReevaluationScope): void
}

export function createDrain(components: DrainComponents): Drain {
  const { clock, log, events, state, supervisor, services, placement, dormitory } = components
  let timer: Timer | undefined
  let reported = false

  const nameOf = (id: string) => services.get(id)?.record.name ?? ''
  const kindOf = (id: string) => services.get(id)?.signed.body.run.kind ?? 'service'
  const ownServices = () =>
    new Set(components.facts.running().flatMap(({ id, own }) => (own && kindOf(id) === 'service' ? [id] : [])))

  function watch(): void {
    timer?.cancel()
    timer = clock.every(LOOK_EVERY_MS, look)
    reported = false
    look()
  }

  /** What has ended ends no second time: this is looked at again and again. */
  function look(): void {
    const drain = state.current()
    if (drain === undefined) return
    const runs = supervisor.granted()
    const own = ownServices()
    // nothing of these has run: another node begins them as well, a task too
    for (const { service, ending, begun } of runs) if (!ending && !begun) stop(service, NOT_BEGUN, own)
    const going = runs.filter(({ ending, begun }) => !ending && begun).map(({ service }) => service)
    const isOver = drain.deadline !== null && clock.now() >= drain.deadline
    if (isOver && going.length > 0) {
      state.cut(going.map((id) => ({ id, name: nameOf(id) })))
      for (const id of going) stop(id, CUT, own)
    } else if (going.length > 0 && going.every((id) => own.has(id))) {
      for (const id of going) stop(id, OWN_LAST, own)
    }
    if (runs.length > 0 || reported) return
    reported = true
    events.emit('node:drained', { cut: state.current()?.cut ?? [] })
  }

  /** SERVICES are no policy's: they begin again with the end of the drain, and not by a verdict. */
  function stop(id: string, why: string, own: ReadonlySet<string>): void {
    if (own.has(id)) state.stopOwn(id)
    const subject = own.has(id) ? undefined : components.subjectOf(id)
    const result = subject && components.applier.drained(subject, why)
    if (result !== undefined) {
      components.changed(id, result.verdict.redirect)
      return
    }
    supervisor.stop(id, { why }).catch((error: unknown) => {
      log.warn('a run could not be stopped for the drain', { id, reason: messageOf(error) })
    })
  }

  function whyText({ service: id, ending }: Granted, own: ReadonlySet<string>): string {
    if (ending) return 'it is ending'
    if (own.has(id)) return 'it is one of SERVICES, and ends when nothing else runs here'
    if (kindOf(id) === 'task') return 'the node waits for this task to end'
    if (components.isSuperseded(id)) return 'it runs until enough other nodes run its newer version'
    if (!supervisor.healthy(id)) return 'it is not healthy, and ends as soon as another node claims it'
    const replicas = services.get(id)?.signed.body.replicas ?? 1
    const others = replicas === 1 ? 'another node runs it' : `${replicas} other nodes run it`
    return `it runs until ${others}; now ${placement.text(id) ?? 'they are asked'}`
  }

  function running(): string[] {
    return supervisor.granted().map(({ service }) => service)
  }

  const drain: Drain = {
    begin({ deadlineMs } = {}) {
      const before = state.current()
      const given = deadlineMs === undefined ? DEFAULT_DEADLINE_MS : deadlineMs
      const deadline = given === null ? null : Math.floor(clock.now() + given)
      state.begin(before !== undefined && deadlineMs === undefined ? before.deadline : deadline)
      announce()
      watch()
      return drain.view() as NonNullable<ReturnType<Drain['view']>>
    },
    end() {
      if (!state.end()) return false
      timer?.cancel()
      for (const id of running()) components.notify(id)
      decideAgain(running())
      dormitory.wake({ on: 'capacity' })
      // what found no place in the dormitory, or was there longer than it allows
      components.reevaluateIdle({ on: 'all' })
      events.emit('node:undrained', {})
      return true
    },
    view() {
      const drained = state.current()
      if (drained === undefined) return undefined
      const own = ownServices()
      const waiting = supervisor.granted().map((run): DrainWait => {
        const id = run.service
        return { id, name: nameOf(id), kind: kindOf(id), why: whyText(run, own) }
      })
      const { since, deadline, cut } = drained
      return { since: seconds(since), deadline: seconds(deadline), done: waiting.length === 0, waiting, cut }
    },
    waitText(id) {
      const run = state.active ? supervisor.granted().find(({ service }) => service === id) : undefined
      return run && `this node is drained: ${whyText(run, ownServices())}`
    },
    boot() {
      if (!state.active) return
      announce()
      watch()
    },
    [Symbol.dispose]: () => timer?.cancel(),
  }
  return drain

  function announce(): void {
    const ids = running()
    events.emit('node:draining', { deadline: seconds(state.current()?.deadline ?? null), services: ids.length })
    for (const id of ids) components.notify(id)
    decideAgain(ids)
  }

  /** While the node is drained, what runs here is redirected: who does not know it cannot take it over. */
  function decideAgain(ids: readonly string[]): void {
    components.reevaluateRunning(ids).catch((error: unknown) => {
      log.warn('what runs could not be redirected for the drain', { reason: messageOf(error) })
    })
  }
}

function seconds(ms: number): number
function seconds(ms: number | null): number | undefined
function seconds(ms: number | null): number | undefined {
  return ms === null ? undefined : Math.floor(ms / 1000)
}
