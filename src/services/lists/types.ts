import type { RunState } from '../../base/run-record.ts'
import type { Reason, WakeCondition } from '../../base/verdict.ts'
import type { ReceiptView, ServiceState, ServiceView } from '../types.ts'

/** Which part of a list: at most `limit` items, after those of the page that gave `cursor`. */
export type PageQuery = { readonly limit: number; readonly cursor?: string | undefined }

/** A page may have fewer items than its limit, or none: where `next` is there, there may be more. */
export type Page<T> = { readonly items: readonly T[]; readonly next?: string | undefined }

export const VERDICT_KINDS = ['run', 'parked', 'redirected', 'refused', 'undecided'] as const
export type VerdictFilter = (typeof VERDICT_KINDS)[number]

export type ServiceQuery = PageQuery & {
  readonly states?: readonly ServiceState[] | undefined
  readonly verdict?: VerdictFilter | undefined
  /** an address */
  readonly author?: string | undefined
  /** a text of the name, the title, the description or a keyword, whatever its case */
  readonly search?: string | undefined
}

export type RunQuery = PageQuery & { readonly state?: RunState | undefined; readonly service?: string | undefined }
export type ReceiptQuery = PageQuery & { readonly service?: string | undefined }

/** One run in a list. Times are whole seconds. */
export type RunListItem = {
  readonly runId: string
  readonly service: string
  /** of the service, where it is still known */
  readonly name?: string | undefined
  readonly executor: string
  readonly state: RunState
  readonly createdAt: number
  readonly startedAt?: number | undefined
  readonly updatedAt: number
  readonly exitCode?: number | undefined
  readonly detail?: string | undefined
  readonly restarts: number
}

export type ReceiptListItem = ReceiptView & { readonly service: string; readonly name?: string | undefined }

/** A service that waits, and why. Times are whole seconds. */
export type DormitoryItem = {
  readonly id: string
  readonly name: string
  readonly author: string
  readonly since: number
  readonly until: number
  readonly on: readonly WakeCondition[]
  readonly drained?: boolean | undefined
  readonly paused?: boolean | undefined
  readonly rank: number
  /** of the verdict in force, without those that passed */
  readonly reasons: readonly Reason[]
}

/** Services by the verdict on them: what a page would have to count otherwise. */
export type ServiceCounts = Record<VerdictFilter, number>

/** What a node knows, page by page, newest first. However much there is, a page costs the same. */
export interface Lists<Service> {
  services(query: ServiceQuery): Page<Service>
  runs(query: RunQuery): Page<RunListItem>
  receipts(query: ReceiptQuery): Page<ReceiptListItem>
  dormitory(query: PageQuery): Page<DormitoryItem>
  counts(): ServiceCounts
}

export type NodeLists = Lists<ServiceView>
