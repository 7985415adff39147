import type { ServiceCodeView } from '../../node/types.ts'
import { array, everyOne, object, oneOf, type Shape, string } from '../shape.ts'
import { count } from './verdict.ts'

type Provenance = NonNullable<ServiceCodeView['provenance']>

export const provenanceSchema: Shape<Provenance> = object({
  from: everyOne<Provenance['from']>({
    local: true,
    inline: true,
    mesh: true,
    git: true,
    https: true,
    oci: true,
    registry: true,
  }),
  source: string.optional(),
  checksum: oneOf('none', 'sha1').optional(),
  commit: string.optional(),
  at: count,
  ms: count.optional(),
})

export const serviceCodeSchema: Shape<ServiceCodeView> = object({
  code: string,
  state: everyOne<ServiceCodeView['state']>({
    complete: true,
    damaged: true,
    fetching: true,
    partial: true,
    absent: true,
  }),
  bytes: count.optional(),
  waits: string.optional(),
  provenance: provenanceSchema.optional(),
  failures: array(
    object<ServiceCodeView['failures'][number]>({ source: string, problem: string, next: string.optional() }),
  ),
})
