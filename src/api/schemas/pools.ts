import { z } from 'zod'
import type { PoolDataView, PoolSpec, PoolView } from '../../node/types.ts'
import { array, boolean, object, type Shape, string } from '../shape.ts'
import { count } from './verdict.ts'

const limits = { memoryBytes: count, cpuMillicores: count, pids: count }

export const poolViewSchema: Shape<PoolView> = object({
  name: string,
  owner: string,
  toolchains: array(string),
  image: string,
  ...limits,
  dataBytes: count.optional(),
  running: boolean,
  services: array(string),
})

export const poolListSchema: Shape<{ pools: readonly PoolView[] }> = object({ pools: array(poolViewSchema) })
export const poolDataSchema: Shape<{ data: readonly PoolDataView[] }> = object({
  data: array(object({ pool: string, bytes: count, usedBytes: count, services: array(string) })),
})
export const poolRemovedSchema: Shape<{ removed: string }> = object({ removed: string })

const whole = (max: number) => z.int().min(1).max(max)

/** What a pool is made with. */
export const poolSpecSchema: z.ZodType<PoolSpec> = z.strictObject({
  name: z.string().min(1).max(256).describe('<group>-<owner address>-<toolchains joined by dots>, as in CONTAINERS'),
  image: z.string().min(1).max(256).describe('an image that the Docker engine has'),
  memoryBytes: whole(2 ** 44),
  cpuMillicores: whole(1_000_000),
  pids: whole(1_000_000),
  dataBytes: whole(2 ** 44)
    .optional()
    .describe('what its services keep on the disk, all together; absent: nothing'),
})
