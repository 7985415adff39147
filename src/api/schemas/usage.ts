import type { UsagePoint } from '../../base/run-usage.ts'
import type { UsageHistoryView } from '../../node/types.ts'
import { array, object, type Shape, string } from '../shape.ts'
import { count } from './verdict.ts'
import { runState } from './views.ts'

const pointSchema: Shape<UsagePoint> = object({
  ...{ at: count, runningMs: count, cpuMs: count, receivedBytes: count, sentBytes: count },
  memoryBytes: count.optional(),
  diskBytes: count.optional(),
})

export const usageHistorySchema: Shape<UsageHistoryView> = object({
  service: string,
  runId: string,
  state: runState,
  granted: object<UsageHistoryView['granted']>({ memoryBytes: count, diskBytes: count, cpuMillicores: count }),
  points: array(pointSchema),
})
