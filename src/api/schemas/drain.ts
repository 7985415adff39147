import type { DrainView } from '../../node/types.ts'
import { array, boolean, object, oneOf, type Shape, string } from '../shape.ts'
import { count } from './verdict.ts'

export const drainViewSchema: Shape<DrainView> = object({
  since: count,
  deadline: count.optional(),
  done: boolean,
  waiting: array(object({ id: string, name: string, kind: oneOf('task', 'service'), why: string })),
  cut: array(object({ id: string, name: string })),
})

/** `drain` is missing where the node is not drained. */
export const drainSchema = object<{ drain?: DrainView | undefined }>({ drain: drainViewSchema.optional() })
export const undrainedSchema = object({ undrained: boolean })
