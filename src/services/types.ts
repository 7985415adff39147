import type { PortAccess } from '../../protocols/service.ts'
import type { RunState } from '../base/run-record.ts'
import type { RunUsage, UsagePoint } from '../base/run-usage.ts'
import type { NetworkGrant, Reason, WakeCondition } from '../base/verdict.ts'
import type { CodeProvenance } from '../code/index.ts'

/** What this node does with one service, in the terms of a receipt. */
export type ServiceState =
  | 'published'
  | 'deciding'
  | 'refused'
  | 'redirected'
  | 'parked'
  | 'accepted'
  | 'running'
  | 'done'
  | 'failed'
  | 'stopped'
  | 'expired'

/** One service as people and programs are shown it. Times are whole seconds (UTC), ids base32 CIDs, addresses base58. */
export type ServiceView = {
  readonly id: string
  readonly author: string
  readonly name: string
  readonly seq: number
  readonly title: string
  readonly desc: string
  readonly code: string
  readonly kind: 'task' | 'service'
  readonly replicas: number
  readonly ports: readonly { name: string; port: number; access: PortAccess }[]
  readonly issued: number
  readonly expires: number
  readonly receivedAt: number
  readonly via: 'gossip' | 'sync' | 'api' | 'local'
  readonly depth: number
  readonly state: ServiceState
  readonly redirected: boolean
  /** the id of the newer version */
  readonly supersededBy?: string | undefined
  /** the id of its author's stop */
  readonly stoppedBy?: string | undefined
  readonly run?: RunView | undefined
  /** Where it is parked: since when, until when at most, and what wakes it. */
  readonly parked?:
    | {
        readonly since: number
        readonly until: number
        readonly on: readonly WakeCondition[]
        /** The node is drained: whatever wakes it, it begins after the drain. */
        readonly drained?: boolean | undefined
        /** The node is paused: whatever wakes it, it begins when the node is resumed. */
        readonly paused?: boolean | undefined
      }
    | undefined
  /**
   * What the claims of other nodes on its replicas come to, as one sentence; where this node runs it or stands by. While
   * the node is drained, what its run waits for.
   */
  readonly placement?: string | undefined
  /** Signed answers of other nodes, newest per node; only where this node published the service or asked. */
  readonly receipts: readonly ReceiptView[]
}

export type RunView = {
  readonly runId: string
  readonly executor: string
  readonly state: RunState
  /** its ports answered and it stayed up; without ports: it was up for LIMITS.HEALTHY_SECONDS */
  readonly healthy?: boolean | undefined
  readonly since: number
  readonly exitCode?: number | undefined
  readonly detail?: string | undefined
  readonly restarts: number
  /** over all its starts, by the node's last look */
  readonly usage?: RunUsage | undefined
  /** for the time that it ran: what PRICING asks, and what the reward offers; where PRICING asks something in its asset */
  readonly cost?: { readonly asked: string; readonly offered: string } | undefined
  /** what it was granted; the policy in force may allow less of it */
  readonly network: NetworkGrant
}

/** What one run used, period by period, oldest first: a bounded number, the older ones put together. */
export type UsageHistoryView = {
  readonly service: string
  readonly runId: string
  readonly state: RunState
  /** its grant, which bounds it: in bytes, and in thousandths of a core */
  readonly granted: { readonly memoryBytes: number; readonly diskBytes: number; readonly cpuMillicores: number }
  readonly points: readonly UsagePoint[]
}

/**
 * The code of one service on this node. Several services may have the same code: of where it came from, only the mesh and
 * the sources that this service itself names are told.
 */
export type ServiceCodeView = {
  /** its content id */
  readonly code: string
  /** fetching: its run waits for it; partial: a part is here, and nothing waits for the rest; damaged: it is in use, and fetched again */
  readonly state: 'complete' | 'damaged' | 'fetching' | 'partial' | 'absent'
  /** of all of it, where that is known */
  readonly bytes?: number | undefined
  /** fetching: why its download waits for its turn */
  readonly waits?: string | undefined
  /** where it is complete, and did not come by a source of another service alone */
  readonly provenance?: ProvenanceView | undefined
  /** Its sources that were refused or failed since the node started, in this order, until the code leaves the store. */
  readonly failures: readonly SourceFailure[]
}

/** `at`: seconds since 1970 */
export type ProvenanceView = Omit<CodeProvenance, 'at'> & { readonly at: number }

/** `next`: the source that was tried next */
export type SourceFailure = { readonly source: string; readonly problem: string; readonly next?: string | undefined }

export type ReceiptView = {
  readonly node: string
  readonly peerId: string
  readonly state: string
  readonly redirected: boolean
  readonly reasons: readonly Reason[]
  readonly at: number
}
