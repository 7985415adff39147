import { RULE_NAMES } from '../config/rule-names.ts'

/** What a verdict made of a service. */
export const DISPOSITIONS = ['run', 'parked', 'redirected', 'refused'] as const
export type SimDisposition = (typeof DISPOSITIONS)[number]

/** The rules that may have decided: none where all passed; `node` is no rule of the runner but the node itself. */
export const DECIDING_RULES = ['none', ...RULE_NAMES, 'node', 'custom'] as const
export type DecidingRule = (typeof DECIDING_RULES)[number]

/**
 * Services are numbered in the order of the scenario's instructions, from 0; a new version of one has a number of its own.
 * Statements and stops keep their service's.
 */
type Of<Name extends string, More = object> = { readonly event: Name } & More

/** What happened, whatever engine made it happen. */
export type SimEvent = {
  /** virtual, since the start */
  readonly ms: number
  readonly node: number
} & (
  | Of<'joined'>
  /**
   * It is there again, and knows these services from before: those of them that are stopped or replaced by a newer version (`over`), and
   * those that it had started (`started`). `powerCut`: what its machine had not synced is lost.
   */
  | Of<
      'restored',
      {
        readonly services: readonly number[]
        readonly over?: readonly number[]
        readonly started?: readonly number[]
        readonly powerCut?: true
      }
    >
  | Of<'left'>
  | Of<'crashed'>
  | Of<'cut'>
  | Of<'healed'>
  | Of<'published', { readonly service: number; readonly version: number; readonly depth: number }>
  /** The first valid copy at that node. Its publisher delivers to itself, with 0 hops. */
  | Of<'delivered', { readonly service: number; readonly depth: number; readonly from: number; readonly hops: number }>
  /** A copy with more depth than those before. Engines that fill tables themselves do not tell of it. */
  | Of<'better', { readonly service: number; readonly depth: number }>
  | Of<
      'verdict',
      {
        readonly service: number
        readonly verdict: SimDisposition
        /** does this node send the service on? */
        readonly redirect: boolean
        /** the first that did not pass */
        readonly rule: DecidingRule
        /** the best one received when the runner was asked */
        readonly depth: number
      }
    >
  /** This node sends the service on, for the first time at that depth. */
  | Of<'emitted', { readonly service: number; readonly depth: number }>
  | Of<'run', { readonly service: number; readonly state: 'claimed' | 'running' | 'ended' | 'failed' }>
  /** A newer version reached this node, whether or not it had the older one. */
  | Of<'superseded', { readonly service: number; readonly by: number }>
  /** It waits in the dormitory; `on` wakes it. */
  | Of<'parked', { readonly service: number; readonly on: readonly string[] }>
  /** It was decided again, and waits no longer. */
  | Of<'woken', { readonly service: number; readonly to: SimDisposition }>
  /** A statement reached this node; `verdict` is the hub's. */
  | Of<'attested', { readonly service: number; readonly verdict: 'safe' | 'unsafe' }>
  /** A stop or an unsafe statement reached this node. */
  | Of<'revoked', { readonly service: number }>
  | Of<'lookup', { readonly tookMs: number; readonly found: boolean }>
  /** An attacker's message was refused. */
  | Of<'rejected', { readonly from: number }>
  /** Its last connection with that node ended. Of whole nodes only. */
  | Of<'disconnected', { readonly peer: number }>
  | Of<'graylisted', { readonly peer: number }>
  /** In the end its runner was asked once more about a live service: `now` is not what is in force. */
  | Of<
      'outdated',
      { readonly service: number; readonly inForce: SimDisposition | 'undecided'; readonly now: SimDisposition }
    >
  /** Nobody handled this error: a process of a node would have ended. Nobody knows of which node it is. */
  | Of<'unhandled', { readonly error: string }>
  /** All nodes were closed, and so many timers are still set. */
  | Of<'leftover', { readonly timers: number }>
)

export type SimEventName = SimEvent['event']
