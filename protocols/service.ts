import { z } from 'zod'
import { type CID, cidOfStructure } from './encoding.ts'
import {
  MAX_ANNOUNCEMENT_BYTES,
  MAX_ARGUMENT_LENGTH,
  MAX_ARGUMENTS,
  MAX_CHAINS,
  MAX_DESC_LENGTH,
  MAX_EGRESS,
  MAX_ENV,
  MAX_KEYWORD_LENGTH,
  MAX_KEYWORDS,
  MAX_LIFETIME_SECONDS,
  MAX_NAME_LENGTH,
  MAX_OUTPUTS,
  MAX_PORTS,
  MAX_REPLICAS,
  MAX_REPLY_TO,
  MAX_SOURCES,
  MAX_STAPLES,
  MAX_TITLE_LENGTH,
  MAX_TOOLCHAINS,
  MAX_URL_LENGTH,
} from './limits.ts'
import { reachSchema } from './redirection.ts'
import { REGISTRY_KINDS } from './registries.ts'
import { addressOf, amount, bytes, cid, decodeWith, encodeWith, listOf, seconds, text, wholeNumber } from './schema.ts'

export const nameSchema = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9._-]*$/,
    'must be lower-case letters, digits, ".", "_" or "-", beginning with a letter or digit',
  )
  .max(MAX_NAME_LENGTH, `has more than ${MAX_NAME_LENGTH} characters`)

const relativePath = text(256, 1).refine(
  (path) => !path.startsWith('/') && !path.includes('\\') && !path.includes('\0') && !path.split('/').includes('..'),
  'must be a path inside the source, without ".."',
)
const HOST = '[a-z0-9]([a-z0-9-]*[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*'
const PORT = '(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3})'

const URL_PATH = '[!$-;=?-Z\\[\\]_a-z~]*'

/**
 * What two implementations can agree on without sharing a URL library: no user, no fragment, only printable ASCII.
 * A fetcher still parses it, and treats a failure as a source that does not work.
 */
export const urlSchema = text(MAX_URL_LENGTH, 1).regex(
  new RegExp(`^https?://(${HOST}|\\[[0-9a-f:.]+\\])(:${PORT})?([/?]${URL_PATH})?$`),
  'must be an http(s) address with a host in lower case and without user or fragment',
)

const printable = (max: number) => text(max, 1).regex(/^[!-~]+$/, 'must be printable ASCII without spaces')

const REPOSITORY_PART = '[a-z0-9]+(([._]|__|-+)[a-z0-9]+)*'
/** An image by the digest of its manifest; the tag is for people. */
export const IMAGE_PATTERN = new RegExp(
  `^(${HOST}(:${PORT})?/)?${REPOSITORY_PART}(/${REPOSITORY_PART})*(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?@sha256:[0-9a-f]{64}$`,
)
const imageSchema = text(MAX_URL_LENGTH, 1).regex(
  IMAGE_PATTERN,
  'must be an image by digest, like "registry.example/name@sha256:<64 hex digits>"',
)

export const sourceSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('mesh') }),
  z.strictObject({
    type: z.literal('git'),
    url: urlSchema,
    commit: z.string().regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/, 'must be a whole commit id (40 or 64 hex digits)'),
    path: relativePath.optional(),
  }),
  z.strictObject({
    type: z.literal('registry'),
    kind: z.enum(REGISTRY_KINDS),
    name: printable(214),
    version: printable(64),
    path: relativePath.optional(),
  }),
  z.strictObject({ type: z.literal('https'), url: urlSchema, path: relativePath.optional() }),
  z.strictObject({ type: z.literal('oci'), ref: imageSchema }),
  z.strictObject({ type: z.literal('inline'), bytes: bytes() }),
])

/** `host:port`, `*.host:port` for any subdomain, or `service:self` for the other runs of the same service. */
export const egressSchema = text(261, 3).regex(
  new RegExp(`^(service:self|(\\*\\.)?${HOST}:${PORT})$`),
  'must be host:port in lower case, like "api.github.com:443", or "service:self"',
)

export const portSchema = z.strictObject({
  name: nameSchema,
  port: wholeNumber(1, 65535),
  access: z.enum(['author', 'siblings', 'any']).optional(),
})

const argument = text(MAX_ARGUMENT_LENGTH).refine((value) => !value.includes('\0'), 'must not contain a zero byte')

const commandSchema = listOf(argument, MAX_ARGUMENTS).min(1, 'must name what to run')

/** A path of a URL, with what may follow it. */
export const URL_PATH_PATTERN = new RegExp(`^/${URL_PATH}$`)

/** How a node finds out whether a run works: an answer of 200 to 399 on one of its ports, or a command that ends with 0. */
const checkSchema = z.union([
  z.strictObject({
    http: z.strictObject({
      port: nameSchema,
      path: text(MAX_URL_LENGTH, 1).regex(URL_PATH_PATTERN, 'must be a path that begins with "/"'),
    }),
  }),
  z.strictObject({ command: commandSchema }),
])

const runFields = z.strictObject({
  command: commandSchema,
  build: commandSchema.optional(),
  env: z
    .record(
      z.string().regex(/^(?!__proto__$)[A-Za-z_][A-Za-z0-9_]{0,63}$/, 'is no name for an environment variable'),
      argument,
    )
    .refine((env) => Object.keys(env).length <= MAX_ENV, `has more than ${MAX_ENV} entries`)
    .optional(),
  workdir: relativePath.optional(),
  ports: listOf(portSchema, MAX_PORTS)
    .refine((ports) => new Set(ports.map(({ name }) => name)).size === ports.length, 'has two ports of one name')
    .optional(),
  kind: z.enum(['task', 'service']),
  timeout: wholeNumber(1, MAX_LIFETIME_SECONDS).optional(),
  restart: z.enum(['never', 'on-failure', 'always']).optional(),
  check: checkSchema.optional(),
  /** what a task leaves for its author: paths below its writable folder */
  outputs: listOf(relativePath, MAX_OUTPUTS)
    .min(1, 'must name at least one path')
    .refine((paths) => new Set(paths).size === paths.length, 'names a path twice')
    .optional(),
})

export const runSchema = runFields.superRefine(({ kind, ports, check, outputs }, context) => {
  if (check !== undefined && 'http' in check && !ports?.some(({ name }) => name === check.http.port)) {
    context.addIssue({
      code: 'custom',
      path: ['check', 'http', 'port'],
      message: 'must be the name of one of its ports',
    })
  }
  if (outputs !== undefined && kind !== 'task') {
    context.addIssue({ code: 'custom', path: ['outputs'], message: 'is for tasks only' })
  }
})

export const resourcesSchema = z.strictObject({
  /** bytes */
  memory: wholeNumber(1),
  /** bytes */
  disk: wholeNumber(0),
  /** thousandths of a core */
  cpu: wholeNumber(1),
  pids: wholeNumber(1, 65536),
})

export const rewardSchema = z.strictObject({ asset: text(32, 1), perHour: amount })

const replyTo = text(256, 1).regex(
  /^(\/[!-.0-~]+)+\/p2p\/12D3KooW[1-9A-HJ-NP-Za-km-z]{44}$/,
  'must be a multiaddr that ends in /p2p/12D3KooW...',
)
const lifetime = { issued: seconds, expires: seconds }

export const serviceSchema = z
  .strictObject({
    v: z.literal(1),
    author: addressOf,
    name: nameSchema,
    seq: wholeNumber(0),
    title: text(MAX_TITLE_LENGTH, 1),
    desc: text(MAX_DESC_LENGTH),
    keywords: listOf(text(MAX_KEYWORD_LENGTH, 1), MAX_KEYWORDS),
    toolchain: listOf(text(32, 1), MAX_TOOLCHAINS),
    symbiotes: listOf(addressOf, MAX_CHAINS),
    hostchains: listOf(text(32, 1), MAX_CHAINS),
    ...lifetime,
    code: cid,
    sources: listOf(sourceSchema, MAX_SOURCES),
    run: runSchema,
    resources: resourcesSchema,
    network: listOf(egressSchema, MAX_EGRESS),
    replicas: wholeNumber(1, MAX_REPLICAS),
    reward: rewardSchema.optional(),
    statements: listOf(bytes(), MAX_STAPLES),
    credentials: listOf(bytes(), MAX_STAPLES),
    replyTo: listOf(replyTo, MAX_REPLY_TO),
    reach: reachSchema,
  })
  .superRefine(checkLifetime)

/** The signed body of a service. Sizes in bytes, cpu in millicores, times in whole seconds (UTC). */
export type ServiceBody = z.output<typeof serviceSchema>
export type Source = z.output<typeof sourceSchema>
export type Port = z.output<typeof portSchema>
export type PortAccess = NonNullable<Port['access']>
export type RunCheck = z.output<typeof checkSchema>

/** A service is named by its body alone: CID(dag-cbor, body). */
export function serviceId(body: Uint8Array): CID {
  return cidOfStructure(body)
}

export function encodeService(body: ServiceBody): Uint8Array {
  return encodeWith(serviceSchema, body, MAX_ANNOUNCEMENT_BYTES)
}

export function decodeService(body: Uint8Array): ServiceBody {
  return decodeWith(serviceSchema, body, MAX_ANNOUNCEMENT_BYTES)
}

/** `expires` comes after `issued`, at most 30 days later. */
export function checkLifetime(body: { issued: number; expires: number }, context: z.RefinementCtx): void {
  if (body.expires <= body.issued) {
    context.addIssue({ code: 'custom', path: ['expires'], message: 'must be later than issued' })
  } else if (body.expires - body.issued > MAX_LIFETIME_SECONDS) {
    context.addIssue({ code: 'custom', path: ['expires'], message: 'is more than 30 days after issued' })
  }
}
