import type { Clock } from '../../base/clock.ts'
import { formatBytes } from '../../base/format.ts'
import type { Log } from '../../base/log.ts'
import type { RunnerConfig } from '../../config/index.ts'
import { createEgress, type EgressComponents } from '../../egress/index.ts'
import { EGRESS_CONNECTIONS, EGRESS_CONNECTIONS_PER_SECOND } from '../constants.ts'
import { createEgressLog } from '../egress-log.ts'
import { keepServed } from '../keep-served.ts'
import { maySeeSiblings, runPolicy } from '../run-network.ts'
import { createSiblingEgress, withSiblings } from '../siblings/sibling-egress.ts'
import type { Siblings } from '../siblings/types.ts'
import type { Run } from '../types.ts'
import { networkOf, type RunSpec, runEgressOf } from './run-spec.ts'

/** Bits of a kilobit a second, in bytes. */
const BYTES_PER_KBIT = 125

/** The way out of a run: what it was granted, as far as the policy in force still allows it. */
export interface RunEgress {
  /** Serves it until the signal aborts; never rejects. Undefined: the run has none. */
  serve(run: () => Run, signal: AbortSignal): Promise<void> | undefined
  /** The policy is another: ends what it does not allow. */
  revise(): void
}

export type RunEgressInit = {
  readonly runId: string
  readonly spec: RunSpec
  readonly netcap: () => RunnerConfig['NETCAP']
  readonly note: (line: string) => void
}

export function createRunEgress(
  { clock, log, internet, siblings }: { clock: Clock; log: Log; internet: EgressComponents; siblings: Siblings },
  { runId, spec, netcap, note }: RunEgressInit,
): RunEgress {
  const network = networkOf(spec)
  const onDecision = createEgressLog(clock, note)
  const hosts = createEgress(internet, {
    policy: () => runPolicy(network, netcap()),
    listedIn: 'NETCAP.ALLOW',
    onDecision,
  })
  const ports = runEgressOf(spec)?.siblings
  const service = spec.service.id
  const allowed = () => maySeeSiblings(network, netcap())
  const own = ports && createSiblingEgress(siblings, { runId, service, ports, allowed, onDecision })
  const egress = withSiblings(hosts, own)

  async function serve(rateKbps: number | undefined, run: () => Run, signal: AbortSignal): Promise<void> {
    const bytesPerSecond = rateKbps === undefined ? undefined : rateKbps * BYTES_PER_KBIT
    const pace = { clock, bytesPerSecond, connectionsPerSecond: EGRESS_CONNECTIONS_PER_SECOND }
    const options = { maxConnections: EGRESS_CONNECTIONS, pace }
    const { receivedBytes, sentBytes } = await keepServed({ clock, log }, { run, egress, options, signal })
    note(`network: ${formatBytes(receivedBytes)} received, ${formatBytes(sentBytes)} sent`)
  }

  return {
    serve: (run, signal) => (network.grant.mode === 'none' ? undefined : serve(network.grant.rateKbps, run, signal)),
    revise: () => egress.revise(),
  }
}
