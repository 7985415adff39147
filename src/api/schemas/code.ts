import type { CheckedCode, CodeRepairView, CodeUsage, CodeUse, CodeView, RemovedCode } from '../../node/types.ts'
import { array, boolean, everyOne, object, type Shape, string } from '../shape.ts'
import { provenanceSchema } from './service-code.ts'
import { count } from './verdict.ts'
import { serviceState } from './views.ts'

const useSchema: Shape<CodeUse> = object({
  id: string,
  name: string,
  author: string,
  state: serviceState,
  needed: boolean,
})

const repairSchema: Shape<CodeRepairView> = object({
  state: everyOne<CodeRepairView['state']>({ fetching: true, waiting: true }),
  problem: string.optional(),
  nextAt: count.optional(),
})

export const codeViewSchema: Shape<CodeView> = object({
  code: string,
  state: everyOne<CodeView['state']>({ complete: true, damaged: true, partial: true, absent: true }),
  why: string.optional(),
  repair: repairSchema.optional(),
  bytes: count.optional(),
  unpacked: boolean,
  usedAt: count.optional(),
  kept: boolean,
  provenance: provenanceSchema.optional(),
  services: array(useSchema),
})

export type CodeList = { readonly codes: readonly CodeView[]; readonly usage: CodeUsage }

export const codeListSchema: Shape<CodeList> = object({
  codes: array(codeViewSchema),
  usage: object<CodeUsage>({ bytes: count, maxBytes: count, files: count, maxFiles: count }),
})

export const removedCodesSchema: Shape<{ removed: readonly RemovedCode[] }> = object({
  removed: array(object<RemovedCode>({ code: string, bytes: count })),
})

export const checkedCodeSchema: Shape<CheckedCode> = object({
  code: string,
  bytes: count,
  state: everyOne<CheckedCode['state']>({ ok: true, removed: true, damaged: true }),
  why: string.optional(),
  repair: repairSchema.optional(),
})

export type FetchProgress = { readonly bytes: number; readonly size: number }

export const fetchProgressSchema: Shape<FetchProgress> = object({ bytes: count, size: count })
