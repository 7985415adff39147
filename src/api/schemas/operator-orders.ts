import type { Blocked, BlockedRun, BlockView, PauseView } from '../../node/types.ts'
import { array, boolean, object, oneOf, type Shape, string } from '../shape.ts'
import { count } from './verdict.ts'

export const blockKind: Shape<BlockView['kind']> = oneOf('author', 'code', 'peer')

const pauseViewSchema: Shape<PauseView> = object({ since: count })

/** `paused` is missing where the node is not paused. */
export const pauseSchema = object<{ paused?: PauseView | undefined }>({ paused: pauseViewSchema.optional() })
/** `resumed` is false where it was not paused. */
export const resumedSchema = object({ resumed: boolean })

const blockViewSchema: Shape<BlockView> = object({
  kind: blockKind,
  subject: string,
  since: count,
  until: count.optional(),
  note: string.optional(),
  keepsRuns: boolean,
})

export const blocksSchema: Shape<{ blocks: readonly BlockView[] }> = object({ blocks: array(blockViewSchema) })
const blockedRuns: Shape<readonly BlockedRun[]> = array(object({ id: string, name: string }))
/** `ends`: the runs that end for it. `parked`: what was parked, and is refused now. */
export const blockedSchema: Shape<Blocked> = object({
  block: blockViewSchema,
  replaced: blockViewSchema.optional(),
  ends: blockedRuns,
  parked: blockedRuns,
})
export const unblockedSchema: Shape<{ removed: BlockView }> = object({ removed: blockViewSchema })
