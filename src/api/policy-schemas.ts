import { z } from 'zod'
import type { Change, PolicyFacts, PolicyView, Standing } from '../node/contract.ts'
import { count, everyOne, reasonSchema } from './verdict-schemas.ts'

const standing = everyOne<Standing>({ run: true, parked: true, redirected: true, refused: true })

const changeSchema: z.ZodType<Change> = z.object({
  id: z.string(),
  name: z.string(),
  author: z.string(),
  from: standing,
  to: standing,
  reasons: z.array(reasonSchema),
})

export const changesSchema = z.object({ changes: z.array(changeSchema) })

const resources = { memory: count, cpu: count, disk: count, pids: count }

/** `facts.config` is the runner's configuration as the node reads it: its shape is the file's, with all defaults filled in. */
export const policyViewSchema = z.object({
  hash: z.string(),
  counts: z.record(z.string(), z.object({ pass: count, fail: count, defer: count, warned: count })),
  parked: count,
  facts: z.object({
    config: z.record(z.string(), z.unknown()),
    own: z.string(),
    capacity: z.object({
      memoryBytes: count,
      cpuMillicores: count,
      diskBytes: count,
      pids: count,
      runs: count,
      executors: z.array(
        z.object({
          name: everyOne({ docker: true, host: true }),
          toolchains: z.array(z.string()).optional(),
          ownOnly: z.boolean().optional(),
          networks: z.array(z.enum(['allowlist', 'open'])).optional(),
          note: z.string().optional(),
        }),
      ),
    }),
    running: z.array(
      z.object({
        id: z.string(),
        author: z.string(),
        name: z.string(),
        rank: count,
        own: z.boolean(),
        ...resources,
      }),
    ),
  }),
}) as unknown as z.ZodType<PolicyView & PolicyFacts>
