import type { AdmissionEvents } from '../admission/events.ts'
import type { AlertEvents } from '../alerts/index.ts'
import type { CodeEvents } from '../code/index.ts'
import type { ExecutionEvents } from '../execution/index.ts'
import type { HubEvents } from '../hub/index.ts'
import type { IntakeEvents } from '../intake/index.ts'
import type { NetworkEvents } from '../network/index.ts'
import type { PolicyEvents } from '../policy/events.ts'
import type { RunnerEvents } from '../runner/index.ts'
import type { ServiceEvents } from '../services/events.ts'
import type { TrustEvents } from '../trust/index.ts'

/** Events of the node as a whole. */
type OwnEvents = {
  'node:started': { peerId: string; address: string; multiaddrs: readonly string[] }
  'node:stopping': Record<string, never>
  'node:tunnel-opened': { id: string; port: string; peer: string }
  'node:tunnel-refused': { id: string; port: string; peer: string; reason: string }
}

/** All events of a node. Each part declares its own. */
export type NodeEvents = OwnEvents &
  PolicyEvents &
  ServiceEvents &
  AdmissionEvents &
  NetworkEvents &
  IntakeEvents &
  RunnerEvents &
  CodeEvents &
  ExecutionEvents &
  TrustEvents &
  HubEvents &
  AlertEvents
