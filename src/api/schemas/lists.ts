import type { ServiceView } from '../../node/types.ts'
import type { DormitoryItem, ReceiptListItem, RunListItem, ServiceCounts } from '../../services/lists/types.ts'
import { array, object, type Shape, string } from '../shape.ts'
import { count, parkedFields, reasonSchema } from './verdict.ts'
import { receiptFields, runState, serviceViewSchema } from './views.ts'

/** `next`: the cursor of the next page, where there may be more. */
const next = string.optional()

export type ServicesPage = { readonly services: readonly ServiceView[]; readonly next?: string | undefined }
export const servicesPageSchema: Shape<ServicesPage> = object({ services: array(serviceViewSchema), next })

const runItemSchema: Shape<RunListItem> = object({
  ...{ runId: string, service: string, name: string.optional(), executor: string, state: runState },
  ...{ createdAt: count, startedAt: count.optional(), updatedAt: count },
  ...{ exitCode: count.optional(), detail: string.optional(), restarts: count },
})
export type RunsPage = { readonly runs: readonly RunListItem[]; readonly next?: string | undefined }
export const runsPageSchema: Shape<RunsPage> = object({ runs: array(runItemSchema), next })

const receiptItemSchema: Shape<ReceiptListItem> = object({ service: string, name: string.optional(), ...receiptFields })
export type ReceiptsPage = { readonly receipts: readonly ReceiptListItem[]; readonly next?: string | undefined }
export const receiptsPageSchema: Shape<ReceiptsPage> = object({ receipts: array(receiptItemSchema), next })

const dormitoryItemSchema: Shape<DormitoryItem> = object({
  ...{ id: string, name: string, author: string, rank: count, reasons: array(reasonSchema) },
  ...parkedFields,
})
export type DormitoryPage = { readonly parked: readonly DormitoryItem[]; readonly next?: string | undefined }
export const dormitoryPageSchema: Shape<DormitoryPage> = object({ parked: array(dormitoryItemSchema), next })

export const serviceCountsSchema: Shape<ServiceCounts> = object({
  ...{ run: count, parked: count, redirected: count, refused: count, undecided: count },
})
