import { outOfTime } from '../../protocols/announcement.ts'
import { emittedDepth } from '../../protocols/redirection.ts'

/**
 * accept: forward these very bytes. reject: the sender pays. wait: the verdict decides whether it is accepted.
 * hold: it is the best copy so far, and should a better one come soon, it is what this node has to emit.
 */
export type GateAnswer = 'accept' | 'ignore' | 'reject' | 'wait' | 'hold'

/** All that the gate knows of one service or stop. A plain value, for a node's memory and for a simulator's alike. */
export type GateState = {
  /** the best depth of a valid ticket so far; undefined before the first copy */
  readonly best?: number | undefined
  /** undefined while the verdict is pending */
  readonly redirect?: boolean | undefined
  /** published here: emitted undiminished */
  readonly own: boolean
  /** the highest depth that went out; a lower one never follows */
  readonly emitted?: number | undefined
  /** superseded or stopped */
  readonly over: boolean
  /** REDIRECTION_DEPTH */
  readonly limit: number
  /** the depth that the author signed: no copy is deeper */
  readonly reach: number
  /** seconds, as signed */
  readonly issued: number
  readonly expires: number
}

/** One copy. `genuine`: well-formed, within limits, ticket and signature good. `ours`: with the signature we emit. */
export type GateArrival =
  | { readonly genuine: false }
  | { readonly genuine: true; readonly depth: number; readonly ours: boolean }

/** What becomes of a copy, by 3-protocol's rules. Pure: the caller keeps the state (`heard`, `sent`). */
export function gate(state: GateState, arrival: GateArrival, nowSeconds: number): GateAnswer {
  if (!arrival.genuine) return 'reject'
  if (!arrival.ours) return 'ignore'
  const after = heard(state, arrival.depth)
  if (arrival.depth === unsent({ ...after, redirect: true }, nowSeconds)) {
    if (after.redirect === undefined) return 'wait'
    return after.redirect ? 'accept' : 'ignore'
  }
  return mayBeEmitted(after, arrival.depth, nowSeconds) ? 'hold' : 'ignore'
}

/** Would a copy that is one better make this node emit what it has just heard? The first copy is often not the best. */
function mayBeEmitted(state: GateState, depth: number, nowSeconds: number): boolean {
  if (state.redirect === false || depth !== state.best || depth >= state.reach) return false
  return depth === unsent({ ...state, best: depth + 1, redirect: true }, nowSeconds)
}

/** The depth that this node emits, should it redirect; undefined where it stays silent. */
export function emission(state: Pick<GateState, 'best' | 'own' | 'limit'>): number | undefined {
  if (state.best === undefined) return undefined
  return state.own ? state.best : emittedDepth(state.best, state.limit)
}

/** The depth that this node has to emit now: redirected, live, in time, and better than all it has emitted. */
export function unsent(state: GateState, nowSeconds: number): number | undefined {
  if (state.redirect !== true || state.over || outOfTime(state, nowSeconds) !== undefined) return undefined
  const depth = emission(state)
  if (depth === undefined || (state.emitted !== undefined && depth <= state.emitted)) return undefined
  return depth
}

/** The state after a valid copy. */
export function heard(state: GateState, depth: number): GateState {
  return state.best !== undefined && state.best >= depth ? state : { ...state, best: depth }
}

/** The state after an emission, by publishing or by an accepted copy. */
export function sent(state: GateState, depth: number): GateState {
  return state.emitted !== undefined && state.emitted >= depth ? state : { ...state, emitted: depth }
}
