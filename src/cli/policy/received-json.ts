import { z } from 'zod'
import { formatAddress, parseAddress } from '../../../protocols/address.ts'
import { ProtocolError } from '../../../protocols/errors.ts'
import { REGISTRY_KINDS } from '../../../protocols/registries.ts'
import { InputError, messageOf } from '../../base/errors.ts'
import { sanitizeText } from '../../base/format.ts'
import type { ReceivedService } from '../../runner/index.ts'

const words = z.array(z.string())
const whole = z.int().min(0)
const address = z.string().transform((text, context) => {
  try {
    return formatAddress(parseAddress(text))
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    context.addIssue({ code: 'custom', message: messageOf(error) })
    return z.NEVER
  }
})
const path = z.string().optional()

const source = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('mesh') }),
  z.strictObject({ type: z.literal('git'), url: z.string(), commit: z.string(), path }),
  z.strictObject({
    type: z.literal('registry'),
    kind: z.enum(REGISTRY_KINDS),
    name: z.string(),
    version: z.string(),
    path,
  }),
  z.strictObject({ type: z.literal('https'), url: z.string(), path }),
  z.strictObject({ type: z.literal('oci'), ref: z.string() }),
  z.strictObject({ type: z.literal('inline'), sizeBytes: whole }),
])

const run = z.strictObject({
  command: words.min(1),
  build: words.optional(),
  env: z.record(z.string(), z.string()).optional(),
  workdir: z.string().optional(),
  ports: z
    .array(z.strictObject({ name: z.string(), port: whole, access: z.enum(['author', 'siblings', 'any']).optional() }))
    .optional(),
  kind: z.enum(['task', 'service']),
  timeout: whole.optional(),
  restart: z.enum(['never', 'on-failure', 'always']).optional(),
  check: z
    .union([
      z.strictObject({ http: z.strictObject({ port: z.string(), path: z.string() }) }),
      z.strictObject({ command: words.min(1) }),
    ])
    .optional(),
  outputs: words.min(1).optional(),
})

const schema: z.ZodType<ReceivedService> = z.strictObject({
  id: z.string(),
  author: address,
  name: z.string(),
  seq: whole,
  title: z.string(),
  desc: z.string(),
  keywords: words,
  toolchain: words,
  symbiotes: z.array(address),
  hostchains: words,
  issued: whole,
  expires: whole,
  code: z.string(),
  sources: z.array(source),
  run,
  resources: z.strictObject({ memory: whole, disk: whole, cpu: whole, pids: whole }),
  network: words,
  replicas: z.int().min(1),
  reward: z.strictObject({ asset: z.string(), perHour: z.string() }).optional(),
  replyTo: words,
  sizeBytes: whole,
})

/** A service as a runner receives it, written down: from a runner's own log, or made for a test. */
export function readReceived(value: unknown, file: string): ReceivedService {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const [issue] = result.error.issues
  const where = issue === undefined || issue.path.length === 0 ? '' : `${issue.path.join('.')}: `
  throw new InputError(`${file} is not what a runner receives: ${sanitizeText(where + (issue?.message ?? ''), 300)}`)
}
