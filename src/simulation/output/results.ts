import { z } from 'zod'

/** Raised when a reader of the former format would misread the new one. */
export const RESULTS_FORMAT = 1

const sha256 = z.string().regex(/^[0-9a-f]{64}$/)
const count = z.number().int().min(0)

/** results.json: for Python, R and `sim compare`. Units are in the names. */
export const resultsSchema = z.strictObject({
  format: z.literal(RESULTS_FORMAT),
  title: z.string(),
  seed: z.string(),
  engine: z.enum(['virtual', 'simulated', 'live']),
  depth: z.enum(['model', 'network', 'libp2p', 'live']).describe('what of a node is real'),
  nodes: count,
  seconds: z.number().describe('in its own time: how long the scenario lasts'),
  complete: z.boolean().describe('false: it was interrupted, and the values are of what had happened'),
  sha256: sha256.nullable().describe('of all events; null where it is not complete'),
  events: z.strictObject({
    mode: z.enum(['all', 'sampled', 'none']),
    count: count.nullable(),
    written: count,
    leftOut: count.describe('events that were one too many for the file'),
    byName: z.record(z.string(), count),
  }),
  crashPoints: z
    .array(count)
    .optional()
    .describe('of the simulated engine: how many crash points each node passed; `--crash` names one'),
  values: z.record(z.string(), z.number().nullable()).describe('by metric; null = nothing was measured'),
  tables: z
    .record(
      z.string(),
      z.strictObject({
        columns: z.array(z.string()),
        rows: z.array(z.array(z.union([z.number(), z.string(), z.null()]))),
      }),
    )
    .describe('the same as the files in metrics/'),
  violations: z.record(z.string(), z.array(z.string())).describe('by invariant'),
  assertions: z.array(
    z.strictObject({
      metric: z.string(),
      op: z.enum(['>=', '<=', '>', '<', '==']),
      value: z.number(),
      of: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
      measured: z.number().nullable(),
      ok: z.boolean(),
    }),
  ),
  notes: z.array(z.string()).optional().describe('what people should know of the run, one sentence each'),
  cost: z.strictObject({
    elapsedSeconds: z.number(),
    peakMemoryBytes: z.number().nullable(),
    cpuSeconds: z.number().optional().describe('live: of all processes with nodes, without their runners'),
  }),
  environment: z.strictObject({
    version: z.string(),
    commit: z.string().nullable(),
    lockSha256: sha256.nullable(),
    node: z.string(),
    v8: z.string(),
    platform: z.string(),
    arch: z.string(),
    cpu: z.string().nullable(),
    cores: count,
    memoryBytes: count,
    osRelease: z.string().optional(),
  }),
})

export type Results = z.output<typeof resultsSchema>

export function resultsSchemaText(): string {
  const schema = z.toJSONSchema(resultsSchema, { target: 'draft-7' })
  return `${JSON.stringify({ ...schema, title: 'results of a Thundercloud simulation' }, null, 2)}\n`
}

/** Held, and nothing was found wrong. */
export function passed({ complete, assertions, violations }: Results): boolean {
  return complete && assertions.every(({ ok }) => ok) && Object.keys(violations).length === 0
}
