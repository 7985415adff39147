import { timeWindowError } from '../../protocols/announcement.ts'
import { emittedDepth } from '../../protocols/redirection.ts'

/**
 * accept: forward these very bytes. reject: the sender pays. wait: the verdict decides whether it is accepted.
 * hold: it is the best copy so far, and should a better one come soon, it is what this node has to emit.
 */
export type ForwardDecision = 'accept' | 'ignore' | 'reject' | 'wait' | 'hold'

/** All that the decision needs to know of one service or stop. A plain value, for a node's memory and for a simulator's alike. */
export type ForwardState = {
  /** the best depth of a valid ticket so far; undefined before the first copy */
  readonly best?: number | undefined
  /** undefined while the verdict is pending */
  readonly redirect?: boolean | undefined
  /** published here: emitted undiminished */
  readonly own: boolean
  /** the highest depth that went out; a lower one never follows */
  readonly emitted?: number | undefined
  /** superseded or stopped */
  readonly ended: boolean
  /** REDIRECTION_DEPTH */
  readonly limit: number
  /** the depth that the author signed: no copy is deeper */
  readonly reach: number
  /** seconds, as signed */
  readonly issued: number
  readonly expires: number
}

/** One copy. `valid`: well-formed, within limits, ticket and signature good. `sameSignature`: with the signature we emit. */
export type IncomingCopy =
  | { readonly valid: false }
  | { readonly valid: true; readonly depth: number; readonly sameSignature: boolean }

/** What becomes of a copy, by 3-protocol's rules. Pure: the caller keeps the state (`withCopy`, `withEmission`). */
export function decideForward(state: ForwardState, incoming: IncomingCopy, nowSeconds: number): ForwardDecision {
  if (!incoming.valid) return 'reject'
  if (!incoming.sameSignature) return 'ignore'
  const after = withCopy(state, incoming.depth)
  if (incoming.depth === pendingDepth({ ...after, redirect: true }, nowSeconds)) {
    if (after.redirect === undefined) return 'wait'
    return after.redirect ? 'accept' : 'ignore'
  }
  return mayBeEmitted(after, incoming.depth, nowSeconds) ? 'hold' : 'ignore'
}

/** Would a copy that is one better make this node emit what it has just received? The first copy is often not the best. */
function mayBeEmitted(state: ForwardState, depth: number, nowSeconds: number): boolean {
  if (state.redirect === false || depth !== state.best || depth >= state.reach) return false
  return depth === pendingDepth({ ...state, best: depth + 1, redirect: true }, nowSeconds)
}

/** The depth that this node emits, should it redirect; undefined where it stays silent. */
export function emissionDepth(state: Pick<ForwardState, 'best' | 'own' | 'limit'>): number | undefined {
  if (state.best === undefined) return undefined
  return state.own ? state.best : emittedDepth(state.best, state.limit)
}

/** The depth that this node has to emit now: redirected, live, in time, and better than all it has emitted. */
export function pendingDepth(state: ForwardState, nowSeconds: number): number | undefined {
  if (state.redirect !== true || state.ended || timeWindowError(state, nowSeconds) !== undefined) return undefined
  const depth = emissionDepth(state)
  if (depth === undefined || (state.emitted !== undefined && depth <= state.emitted)) return undefined
  return depth
}

/** The state after a valid copy. */
export function withCopy(state: ForwardState, depth: number): ForwardState {
  return state.best !== undefined && state.best >= depth ? state : { ...state, best: depth }
}

/** The state after an emission, by publishing or by an accepted copy. */
export function withEmission(state: ForwardState, depth: number): ForwardState {
  return state.emitted !== undefined && state.emitted >= depth ? state : { ...state, emitted: depth }
}
