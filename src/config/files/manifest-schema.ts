import { z } from 'zod'
import {
  MAX_ARGUMENT_LENGTH,
  MAX_ARGUMENTS,
  MAX_CHAINS,
  MAX_DEPTH,
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
  MAX_SOURCES,
  MAX_STAPLES,
  MAX_TITLE_LENGTH,
  MAX_TOOLCHAINS,
  MAX_URL_LENGTH,
} from '../../../protocols/limits.ts'
import { REGISTRY_KINDS } from '../../../protocols/registries.ts'
import { IMAGE_PATTERN, URL_PATH_PATTERN } from '../../../protocols/service.ts'
import { httpUrl, networkTarget } from '../network-fields.ts'
import {
  addressList,
  decimal,
  duration,
  keys,
  list,
  millicores,
  oneOf,
  sentence,
  size,
  utf8,
  whole,
} from '../zod-fields.ts'
import { canonicalToolchain } from './toolchains.ts'

const NAME = `up to ${MAX_NAME_LENGTH} lower-case letters, digits, ".", "_" and "-", beginning with a letter or digit`
const name = () =>
  z
    .string(NAME)
    .regex(/^[a-z0-9][a-z0-9._-]*$/, NAME)
    .max(MAX_NAME_LENGTH, NAME)

const INSIDE = 'a relative path without ".." or "\\"'
const inside = () => utf8(256, 1).refine((path) => !/^\/|\\|\0|(^|\/)\.\.(\/|$)/.test(path), INSIDE)

const ARGUMENT = 'text without a zero byte'
const argument = () => utf8(MAX_ARGUMENT_LENGTH).refine((text) => !text.includes('\0'), ARGUMENT)
const command = () => {
  const allowed = `a list of 1 to ${MAX_ARGUMENTS} texts: the program and its arguments`
  return z.array(argument(), allowed).min(1, allowed).max(MAX_ARGUMENTS, allowed)
}

const COMMIT = 'a whole commit id (40 or 64 hex digits)'
const PRINTABLE = 'printable ASCII without spaces'
const printable = (max: number) => utf8(max, 1).refine((text) => /^[!-~]+$/.test(text), PRINTABLE)
const IMAGE = 'an image by digest, like "registry.example/name@sha256:<64 hex digits>"'
const path = inside().describe('the folder of the source that is the code').optional()
const source = z.discriminatedUnion(
  'type',
  [
    keys({ type: z.literal('mesh') }),
    keys({
      type: z.literal('git'),
      url: httpUrl(),
      commit: z.string(COMMIT).regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/, COMMIT),
      path,
    }),
    keys({
      type: z.literal('registry'),
      kind: oneOf(REGISTRY_KINDS),
      name: printable(214),
      version: printable(64),
      path,
    }),
    keys({ type: z.literal('https'), url: httpUrl(), path }),
    keys({ type: z.literal('oci'), ref: z.string(IMAGE).regex(IMAGE_PATTERN, IMAGE) }),
  ],
  'an object with "type": "mesh", "git", "registry", "https" or "oci"',
)

const port = keys({
  name: name().describe('what `connect` calls it'),
  port: whole(1, 65_535).describe('where the service listens, on 127.0.0.1'),
  access: oneOf(['author', 'siblings', 'any'])
    .describe('which callers may open a tunnel to it; siblings: nodes that run the service, and whom author lets in')
    .default('author'),
})

const CHECK = 'an object with "http": { "port", "path" }, or with "command"'
const URL_PATH = 'a path that begins with "/", like "/health"'
const check = z.union(
  [
    keys({
      http: keys({
        port: name().describe('the name of one of `ports`'),
        path: z.string(URL_PATH).max(MAX_URL_LENGTH, URL_PATH).regex(URL_PATH_PATTERN, URL_PATH),
      }).describe('works when a GET answers with a status from 200 to 399'),
    }),
    keys({ command: command().describe('works when it ends with exit code 0; it runs inside the service') }),
  ],
  CHECK,
)

const run = keys({
  command: command().describe('the program and its arguments'),
  build: command().describe('run once before, under the same limits').optional(),
  env: z
    .record(z.string(), argument(), 'an object from name to text')
    .superRefine((env, context) => {
      for (const key of Object.keys(env)) {
        if (!/^[A-Za-z_][A-Za-z0-9_]{0,63}$/.test(key))
          sentence(context, [key], 'is no name for an environment variable')
      }
      if (Object.keys(env).length > MAX_ENV) sentence(context, [], `has more than ${MAX_ENV} entries`)
    })
    .describe('environment variables')
    .optional(),
  workdir: inside().describe('folder of the code to start in').optional(),
  ports: list(port, MAX_PORTS)
    .superRefine((ports, context) => {
      const twice = ports.findIndex(({ name }, index) => ports.findIndex((other) => other.name === name) !== index)
      if (twice >= 0) sentence(context, [twice, 'name'], `is "${ports[twice]?.name}", which another port has too`)
    })
    .describe('ports that peers may reach')
    .default([]),
  kind: oneOf(['task', 'service'])
    .describe('a task ends by itself; default: "service" where there are ports')
    .optional(),
  timeout: duration(1, MAX_LIFETIME_SECONDS).describe('longest run').optional(),
  restart: oneOf(['never', 'on-failure', 'always']).describe('when it is started again').optional(),
  outputs: list(inside(), MAX_OUTPUTS)
    .min(1, 'at least one path')
    .superRefine((paths, context) => {
      const twice = paths.findIndex((path, index) => paths.indexOf(path) !== index)
      if (twice >= 0) sentence(context, [twice], `is "${paths[twice]}", which is there already`)
    })
    .describe('of a task: files and folders below /work that its author gets with `thundercloud results`')
    .optional(),
  check: check.describe('how a node finds out whether it works').optional(),
})

const resources = keys({
  memory: size(1).describe('bytes, or text like "64MiB"').prefault('128MiB'),
  disk: size().describe('bytes, or text like "64MiB"').prefault('64MiB'),
  cpu: millicores(1).describe('thousandths of a core, or cores as text like "0.5"').prefault('0.25'),
  pids: whole(1, 65_536).describe('processes and threads').default(64),
})

const shape = {
  $schema: z.string('text').describe('the JSON Schema of this file, for editors').optional(),
  name: name().describe("the service's name among its author's; a new version has the same"),
  title: utf8(MAX_TITLE_LENGTH, 1).describe('one line for people; default: the name').optional(),
  desc: utf8(MAX_DESC_LENGTH).describe('a short text for people; nodes refuse what is too long for them').default(''),
  keywords: list(utf8(MAX_KEYWORD_LENGTH, 1), MAX_KEYWORDS)
    .describe('what nodes compare with their interests')
    .default([]),
  toolchain: list(utf8(32, 1).transform(canonicalToolchain), MAX_TOOLCHAINS).describe(
    'what it takes to run it, like "node.js"; "docker" = only in Docker',
  ),
  symbiotes: addressList(MAX_CHAINS).describe('symbiotes that it belongs to').prefault([]),
  hostchains: list(utf8(32, 1), MAX_CHAINS).describe('host chains that it belongs to').default([]),
  expires: duration(1, MAX_LIFETIME_SECONDS).describe('how long it lives, at most 30 days').prefault('7d'),
  code: z
    .string('a content id')
    .max(128, 'a content id')
    .describe('content id of code that is there already')
    .optional(),
  dir: z
    .string('a path')
    .min(1, 'a path')
    .max(1024, 'a path')
    .describe('folder of the code, relative to this file; default: its own')
    .optional(),
  sources: list(source, MAX_SOURCES)
    .describe(
      'where the code can be had: mesh (from peers), git { url, commit, path? }, registry { kind, name, version, path? }, https { url, path? }, oci { ref }',
    )
    .prefault([{ type: 'mesh' }]),
  run: run.describe('how it runs'),
  resources: resources.describe('what it needs').prefault({}),
  network: list(networkTarget(), MAX_EGRESS)
    .describe('what it must reach, as host:port; service:self = the other runs of this service; empty = nothing')
    .default([]),
  staple: list(utf8(1024, 1), MAX_STAPLES)
    .describe(
      'files with hub statements and delegations that travel with the service, relative to this file; in the folder of the code, keep them in `.thundercloud`, which is not packed',
    )
    .default([]),
  replicas: whole(1, MAX_REPLICAS).describe('how many nodes shall run it').default(1),
  reward: keys({ asset: utf8(32, 1).describe('of what'), perHour: decimal().describe('how much an hour') })
    .describe('what is offered')
    .optional(),
  depth: whole(0, MAX_DEPTH).describe('how far it travels: 0 = to neighbours only').default(3),
}

/** A service as people write it, unsigned: what `service new` writes and `publish` reads. */
export const manifestSchema = keys(shape).superRefine(({ code, dir, run }, context) => {
  if (code !== undefined && dir !== undefined)
    sentence(context, ['code'], 'contradicts dir: the code is there already, or in a folder; keep one')
  if (run.kind === 'task' && run.restart === 'always') {
    sentence(
      context,
      ['run', 'restart'],
      'is "always", which contradicts run.kind "task": a task ends; "on-failure" and "never" are allowed',
    )
  }
  const { check, outputs, ports, kind = ports.length > 0 ? 'service' : 'task' } = run
  if (outputs !== undefined && kind !== 'task') {
    const fix =
      run.kind === undefined
        ? 'set run.kind to "task", or take run.ports away'
        : 'remove run.outputs, or set run.kind to "task"'
    sentence(context, ['run', 'outputs'], `is for tasks: ${fix}`)
  }
  if (check === undefined) return
  if (kind === 'task') {
    const fix = run.kind === undefined ? 'set run.kind to "service"' : 'a task is done when it ends with exit code 0'
    sentence(context, ['run', 'check'], `is for services: ${fix}`)
  } else if ('http' in check && !ports.some(({ name }) => name === check.http.port)) {
    sentence(context, ['run', 'check', 'http', 'port'], 'must be the name of one of run.ports')
  }
})

/** A validated manifest: sizes are bytes, cpu is millicores, times are seconds. */
export type Manifest = z.output<typeof manifestSchema>
