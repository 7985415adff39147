import type { Clock } from '../../base/clock.ts'
import { formatBytes } from '../../base/format.ts'
import type { Log } from '../../base/log.ts'
import { createEgress, type EgressComponents } from '../../egress/index.ts'
import { BUILD_RATE_KBPS, EGRESS_CONNECTIONS, EGRESS_CONNECTIONS_PER_SECOND } from '../constants.ts'
import { createEgressLog } from '../egress-log.ts'
import { keepServed } from '../keep-served.ts'
import type { Plan, Run } from '../types.ts'
import type { BuildNetwork } from './build-network.ts'

/** What comes is compressed, and some of it is not kept: so many times the disk of the build, and something for metadata. */
const BYTES_PER_DISK_BYTE = 2
const METADATA_BYTES = 128 * 2 ** 20
/** Bits of a kilobit a second, in bytes. */
const BYTES_PER_KBIT = 125

export type ServeBuildInit = {
  readonly plan: Pick<Plan, 'grant' | 'egress'>
  /** as the policy in force says it */
  readonly network: () => BuildNetwork
  readonly internet: EgressComponents
  /** a line of the build's log */
  readonly note: (line: string) => void
}

/** The way out of one build. */
export function createBuildEgress(components: { clock: Clock; log: Log }, init: ServeBuildInit) {
  const { clock } = components
  const { plan, network, internet, note } = init
  const egress = createEgress(internet, {
    policy: () => network().policy,
    listedIn: 'REGISTRIES',
    onDecision: createEgressLog(clock, note),
  })
  const kbps = Math.min(network().rateKbps ?? BUILD_RATE_KBPS, BUILD_RATE_KBPS)
  const options = {
    maxBytes: plan.grant.diskBytes * BYTES_PER_DISK_BYTE + METADATA_BYTES,
    maxConnections: EGRESS_CONNECTIONS,
    pace: { clock, bytesPerSecond: kbps * BYTES_PER_KBIT, connectionsPerSecond: EGRESS_CONNECTIONS_PER_SECOND },
  }
  return {
    /** The policy is another. */
    revise: () => egress.revise(),
    async serve(run: Run, signal: AbortSignal): Promise<void> {
      if (plan.egress === undefined) return
      const { receivedBytes, sentBytes } = await keepServed(components, { run: () => run, egress, options, signal })
      note(`network: ${formatBytes(receivedBytes)} received, ${formatBytes(sentBytes)} sent`)
    },
  }
}
