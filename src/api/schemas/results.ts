import type { ResultsView } from '../../results/index.ts'
import { boolean, object, type Shape, string } from '../shape.ts'
import { count } from './verdict.ts'

export const resultsViewSchema: Shape<ResultsView> = object({
  service: string,
  name: string,
  code: string.optional(),
  bytes: count,
  files: count,
  complete: boolean,
  detail: string.optional(),
  at: count,
  expires: count,
})
