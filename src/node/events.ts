import type { Condition, Verdict } from '../base/verdict.ts'
import type { CodeEvents } from '../code/index.ts'
import type { ExecutionEvents } from '../execution/index.ts'
import type { HubEvents } from '../hub/index.ts'
import type { IntakeEvents } from '../intake/index.ts'
import type { NetworkEvents } from '../network/index.ts'
import type { RunnerEvents } from '../runner/index.ts'
import type { TrustEvents } from '../trust/index.ts'
import type { Change, Standing } from './redecide.ts'
import type { ServiceState } from './service-state.ts'

/** What only the whole node can tell. */
type OwnEvents = {
  'node:started': { peerId: string; address: string; multiaddrs: readonly string[] }
  'node:stopping': Record<string, never>
  /** The runner has spoken, or failed (then `failure` says how, and the verdict is: nothing). */
  'node:verdict': { id: string; name: string; verdict: Verdict; failure?: string | undefined; tookMs: number }
  /** The service's state changed, in the words of a receipt. */
  'node:state': { id: string; name: string; state: ServiceState; detail?: string | undefined }
  /** It waits; `on` says what wakes it. Times are seconds. */
  'node:parked': { id: string; name: string; until: number; on: readonly Condition['on'][] }
  /** It waits no longer. */
  'node:woken': { id: string; name: string; to: Standing; sleptSeconds: number }
  /** It was running, and had to end for one that ranks higher. */
  'node:evicted': { id: string; name: string; by: string; parked: boolean }
  /** What is parked and running was decided again; `changes` of `services` stand differently now. */
  'node:redecided': { services: number; changes: readonly Change[]; tookMs: number }
  /** What neither runs nor is parked was decided again too; `changes` are the first of the `changed`. `forgotten`: not there any more. */
  'node:reconsidered': {
    services: number
    changed: number
    changes: readonly Change[]
    forgotten: number
    tookMs: number
  }
  /** Another node answered about a service that was published here. */
  'node:receipt': { id: string; node: string; state: string; redirected: boolean; reasons: readonly string[] }
  'node:tunnel-opened': { id: string; port: string; peer: string }
  'node:tunnel-refused': { id: string; port: string; peer: string; reason: string }
  'node:policy': { hash: string }
  /** Something went wrong beside the way of any one service. */
  'node:trouble': { what: string; reason: string }
}

/** Everything that happens in a node. Each part declares its own; here they are only joined. */
export type NodeEvents = OwnEvents &
  NetworkEvents &
  IntakeEvents &
  RunnerEvents &
  CodeEvents &
  ExecutionEvents &
  TrustEvents &
  HubEvents
