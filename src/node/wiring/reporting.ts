import type { DrainState } from '../../admission/drain/drain-state.ts'
import { healthSettings } from '../../admission/facts/health-settings.ts'
import { truncateUtf8 } from '../../base/format.ts'
import type { Code } from '../../code/index.ts'
import { FINAL_STATES, runSpecOf, type Supervisor } from '../../execution/index.ts'
import type { Network } from '../../network/index.ts'
import { claimReasons, type OwnClaims } from '../../placement/index.ts'
import { outputsReason, type Results } from '../../results/index.ts'
import { rewardFor, usageCost } from '../../runner/index.ts'
import { type CodeOrigins, createCodeOrigins } from '../../services/code-origins.ts'
import { createReceipts, type Receipts } from '../../services/receipts.ts'
import { createServices, type ServiceEntry, type Services } from '../../services/registry.ts'
import { OUTPUT_LINE_BYTES } from '../../services/run-reasons.ts'
import type { SignedServices } from '../../services/signed-services.ts'
import { createStateNotifier, type StateNotifier } from '../../services/state-notifier.ts'
import { type UsageReasonInit, usageReason } from '../../services/usage-reason.ts'
import type { NodeContext } from './context.ts'

export interface ReportingComponents {
  code: Pick<Code, 'whyWaits'> & { store: Pick<Code['store'], 'has' | 'damage' | 'size' | 'provenance'> }
  network: Pick<Network, 'streams' | 'connectedTo'>
  signed: SignedServices
  supervisor: Pick<Supervisor, 'healthy' | 'failures' | 'logs' | 'status'>
  claims: Pick<OwnClaims, 'get'>
  drain: Pick<DrainState, 'active'>
  results: Pick<Results, 'get'>
}

export type Reporting = {
  readonly codeOrigins: CodeOrigins
  readonly receipts: Receipts
  readonly services: Services
  readonly notify: StateNotifier['notify']
}

/** What this node says of services: their views, receipts, and reports when something changes. */
export function createReporting(context: NodeContext, components: ReportingComponents): Reporting {
  const { code, network, signed, supervisor, claims, drain, results } = components
  const { clock, rng, log, events, journal, keys, signer, texts, policy, parts, closing } = context
  const receipts = createReceipts(
    {
      clock,
      rng,
      log,
      events,
      journal,
      keys,
      signer,
      streams: network.streams,
      isConnected: (peer) => network.connectedTo(peer),
    },
    { network: context.networkName, policy: () => policy().hash, closing },
  )
  /** A task would run twice if another node took it over. */
  const isDrained = ({ run, signed }: ServiceEntry) =>
    drain.active && signed.body.run.kind === 'service' && run !== undefined && !FINAL_STATES.includes(run.state)
  const codeOrigins = createCodeOrigins({ events, downloads: code, store: code.store })
  const cost: UsageReasonInit['cost'] = (...held) => usageCost(policy().config, ...held)
  const services = createServices({
    clock,
    journal,
    signed,
    receipts,
    texts,
    healthy: (id) => supervisor.healthy(id),
    healthyMs: () => healthSettings(policy().config).healthyMs,
    claiming: (id) => claims.get(id) !== undefined,
    claimReasons: (entry) =>
      claimReasons(claims.get(entry.id), { failures: supervisor.failures(entry.id), drained: isDrained(entry) }),
    codeReasons: codeOrigins.reasonsOf,
    cost({ run, signed: { body } }, ms) {
      const { reward } = body
      if (run === undefined || reward === undefined) return undefined
      const { memoryBytes: memory, cpuMillicores: cpu } = runSpecOf(run).grant
      const asked = cost(reward.asset, { memory, cpu }, ms)
      return asked === undefined ? undefined : { asked, offered: rewardFor(reward, ms) }
    },
  })
  const usage = (entry: ServiceEntry) => usageReason(journal.runs, entry, { cost })
  const outputs = ({ id }: ServiceEntry) => {
    const record = results.get(id)
    return record && outputsReason(record)
  }
  const lastLines = createLastLines(supervisor)
  const sourceFailures = (entry: ServiceEntry) =>
    codeOrigins
      .of(entry)
      .failures.map(({ problem }) => problem)
      // the order is that of the attempts, and sources are tried again
      .sort()
      .join('\n')
  const notifier = createStateNotifier(
    { events, services, receipts, lastLines, usage, outputs, sourceFailures, isDrained },
    closing,
  )
  parts.use(
    events.on('code:source-failed', ({ service }) => {
      // others have it, too: what is checked for a hub, or fetched again
      if (service !== undefined && services.get(service)?.run?.state === 'fetching') notifier.notify(service)
    }),
  )
  parts.use(events.on('execution:usage', ({ service }) => notifier.reportUsage(service)))
  return { codeOrigins, receipts, services, notify: notifier.notify }
}

/** Among which is the one that names the error, before its stack. */
const LAST_LINES = 64

/** The last lines that a service wrote since its last start; what the node says of it is not among them. */
function createLastLines(supervisor: Pick<Supervisor, 'logs' | 'status'>) {
  return async (id: string): Promise<readonly string[]> => {
    const startedAt = supervisor.status(id)?.record.startedAt ?? 0
    const lines: string[] = []
    for await (const { stream, at, line } of supervisor.logs(id, { tail: LAST_LINES, follow: false })) {
      if (stream !== 'node' && at >= startedAt) lines.push(truncateUtf8(line, OUTPUT_LINE_BYTES))
    }
    return lines
  }
}
