import type { Clock } from '../base/clock.ts'
import type { Emitter, Events } from '../base/events.ts'
import type { Log } from '../base/log.ts'
import type { Rng } from '../base/rng.ts'
import type { AlertName, Configuration } from '../config/index.ts'
import type { AlertEvents } from './events.ts'

/** Something that is wrong now. One kind of fault may have several subjects: services, executors. */
export type Fault = {
  readonly alert: AlertName
  /** which service or executor; empty where there is one of its kind */
  readonly subject: string
  /** what its author called the service; safe to show */
  readonly name?: string | undefined
  /** true where it is a service of the node's own address */
  readonly own?: boolean | undefined
  /** one sentence, safe to show */
  readonly summary: string
  /** the command that says more */
  readonly next: string
  /** seconds since 1970 */
  readonly since: number
}

export type NoticeState = 'begun' | 'cleared' | 'test'

/** What a command or a webhook gets, as JSON. */
export type Notice = {
  readonly id: string
  readonly alert: AlertName
  readonly state: NoticeState
  /** one sentence */
  readonly summary: string
  /** those that began or cleared; of many the first */
  readonly faults: readonly Omit<Fault, 'alert'>[]
  /** how many there are of them, where `faults` has a part */
  readonly more?: number | undefined
  /** how many others of its kind are so now, and find no room: each begins once another is over */
  readonly unreported?: number | undefined
  /** changes since the last notice that went back before they could be reported */
  readonly flapped?: number | undefined
  readonly at: number
  readonly node: { readonly peerId: string; readonly network: string; readonly version: string }
}

/** Sends one notice, once. Rejects with one sentence; an error that says so is not tried again. */
export type SendNotice = (notice: Notice, options: { signal: AbortSignal }) => Promise<void>

/** What became of the newest notice. */
export type LastDelivery = {
  readonly state: NoticeState
  readonly outcome: 'delivered' | 'waiting' | 'failed'
  readonly attempts: number
  /** seconds since 1970, of the newest attempt */
  readonly at: number
  /** why the newest attempt failed */
  readonly problem?: string | undefined
}

export type AlertView = {
  readonly alert: AlertName
  readonly by: 'command' | 'webhook'
  /** a program, or the origin of an address: what follows in an address may be a secret */
  readonly target: string
  readonly faults: readonly Omit<Fault, 'alert'>[]
  /** more that are so and find no room among them */
  readonly unreported: number
  /** notices that wait for their turn */
  readonly waiting: number
  readonly last?: LastDelivery | undefined
  /** since the node started */
  readonly delivered: number
  readonly failed: number
  readonly dropped: number
}

/** Notifies the operator of faults by commands and webhooks of `ALERTS` in node.json. */
export interface Alerts extends Disposable {
  list(): readonly AlertView[]
  /** Sends a notice of the state "test", once. Throws a NotFoundError where the alert has no target; else says why it failed. */
  test(alert: string, options?: { signal?: AbortSignal | undefined }): Promise<{ tookMs: number; problem?: string }>
}

/** The events of a node that faults are seen from. */
export type WatchedEvents = {
  'execution:executor': { executor: string; available: boolean; detail: string }
  'execution:state': { service: string; state: string; restarts: number; detail?: string | undefined }
  'execution:healthy': { service: string }
  'node:state': { id: string; name: string; state: string; detail?: string | undefined }
  'node:policy': { hash: string }
  'node:policy-refused': { reason: string }
  'node:verdict': { failure?: string | undefined }
  'runner:loaded': { entry: string }
  'runner:load-failed': { message: string; keepsOld: boolean }
  'runner:died': { message: string }
  'trust:looked-up': { found: number; failed: number }
  'hub:examined': { code: string }
  'hub:failed': { code: string; name: string; reason: string }
  'intake:early': { from?: string | undefined }
}

/** The node that is watched. */
export interface WatchedNode {
  readonly peerId: string
  readonly address: string
  readonly network: string
  readonly events: Pick<Events<WatchedEvents>, 'on'> & Emitter<AlertEvents>
  health(): Promise<{
    readonly version: string
    readonly peers: number
    readonly executors: readonly { name: string; available: boolean; detail: string }[]
  }>
  reachability(): { readonly state: string; readonly because: string }
  /** Throws where it knows the service no longer. */
  service(id: string): WatchedService
  readonly lists: {
    services(query: { states: readonly 'failed'[]; limit: number; cursor?: string | undefined }): {
      readonly items: readonly (WatchedService & {
        readonly id: string
        readonly run?: { readonly detail?: string | undefined } | undefined
      })[]
      readonly next?: string | undefined
    }
  }
}

export type WatchedService = {
  readonly name: string
  /** an address */
  readonly author: string
  readonly state: string
  /** by its author: a newer version, a stop */
  readonly supersededBy?: string | undefined
  readonly stoppedBy?: string | undefined
  /** seconds since 1970 */
  readonly expires: number
}

/** Where a watcher says what it sees; without a subject there is one fault of its kind. */
export type Report = {
  begin(alert: AlertName, fault: Omit<Fault, 'alert' | 'since' | 'subject'> & { subject?: string }): void
  clear(alert: AlertName, subject?: string): void
}

/** What only looking at the machine tells: one sentence where something is wrong. */
export interface Probes {
  disk(): Promise<string | undefined>
  clock(): Promise<string | undefined>
}

export interface AlertsComponents {
  readonly clock: Clock
  readonly rng: Rng
  readonly log: Pick<Log, 'warn'>
  readonly node: WatchedNode
  readonly probes: Probes
  /** default: programs and servers */
  readonly send?: ((alert: AlertName) => SendNotice) | undefined
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
}

export type AlertsInit = { readonly alerts: Configuration['alerts']; readonly version: string }
