import { NotFoundError } from '../base/errors.ts'
import { sanitizeText } from '../base/format.ts'
import { runSpecOf } from '../execution/index.ts'
import type { Journal } from '../journal/index.ts'
import type { Services } from './registry.ts'
import type { UsageHistoryView } from './types.ts'

/** What the runs of a service used over time, as the journal has it. */
export function createUsageHistory({
  services,
  journal,
}: {
  services: Pick<Services, 'find'>
  journal: Pick<Journal, 'runs'>
}) {
  return (text: string, { run: runId }: { run?: string | undefined } = {}): UsageHistoryView => {
    const { id, run: newest, record } = services.find(text)
    const run = runId === undefined ? newest : journal.runs.get(runId)
    if (run === undefined || run.service !== id) {
      const which = runId === undefined ? 'no run' : `no run "${sanitizeText(runId, 80)}"`
      throw new NotFoundError(
        `"${record.name}" has ${which} on this node; \`thundercloud explain ${record.name}\` says what the node does with it`,
      )
    }
    const { memoryBytes, diskBytes, cpuMillicores } = runSpecOf(run).grant
    return {
      ...{ service: id, runId: run.runId, state: run.state },
      granted: { memoryBytes, diskBytes, cpuMillicores },
      points: journal.runs.usagePoints(run.runId),
    }
  }
}
