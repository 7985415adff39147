import { truncateUtf8 } from '../../base/format.ts'
import type { Policy } from '../../config/index.ts'
import type { Supervisor } from '../../execution/index.ts'
import { createReceipts, type ReceiptsComponents } from '../../services/receipts.ts'
import { createServices, type ServicesComponents } from '../../services/registry.ts'
import { OUTPUT_LINE_BYTES, OUTPUT_LINES } from '../../services/run-reasons.ts'
import { createStateNotifier } from '../../services/state-notifier.ts'

export interface ReportingComponents
  extends ReceiptsComponents,
    Pick<ServicesComponents, 'journal' | 'texts' | 'sleeping'> {
  journal: ReceiptsComponents['journal'] & ServicesComponents['journal']
  /** It is made after this part. */
  supervisor(): Pick<Supervisor, 'healthy' | 'logs' | 'status'>
}

/** What this node says of services: their views, receipts, and who is told when something changes. */
export function createReporting(
  components: ReportingComponents,
  init: { network: string; policy(): Policy; closing: AbortSignal },
) {
  const { network, policy, closing } = init
  const { events, supervisor } = components
  const receipts = createReceipts(components, { network, policy: () => policy().hash, closing })
  const services = createServices({
    ...components,
    receipts,
    healthy: (id) => supervisor().healthy(id),
    healthyMs: () => policy().config.LIMITS.HEALTHY_SECONDS * 1000,
  })
  const notify = createStateNotifier({ events, services, receipts, lastLines: createLastLines(supervisor) }, closing)
  return { receipts, services, notify }
}

/** The last lines that a service wrote since its last start; what the node says of it is not among them. */
function createLastLines(supervisor: () => Pick<Supervisor, 'logs' | 'status'>) {
  return async (id: string): Promise<readonly string[]> => {
    const startedAt = supervisor().status(id)?.record.startedAt ?? 0
    const lines: string[] = []
    // twice as many: some are the node's own
    for await (const { stream, at, line } of supervisor().logs(id, { tail: 2 * OUTPUT_LINES, follow: false })) {
      if (stream !== 'node' && at >= startedAt) lines.push(truncateUtf8(line, OUTPUT_LINE_BYTES))
    }
    return lines.slice(-OUTPUT_LINES)
  }
}
