import { z } from 'zod'
import { MAX_LIFETIME_SECONDS, MAX_MEMBERS } from '../../../protocols/limits.ts'
import { formatBytes } from '../../base/format.ts'
import { isLoopbackHost } from '../../base/loopback-host.ts'
import { hostName, httpUrl, networkTarget } from '../network-fields.ts'
import { PHYSICAL_RULES, RULE_NAMES, type RuleName } from '../rule-names.ts'
import { proofOfPossession } from '../statements/members.ts'
import {
  addressMap,
  decimal,
  duration,
  flag,
  keys,
  list,
  millicores,
  oneOf,
  sentence,
  size,
  whole,
  words,
} from '../zod-fields.ts'
import { canonicalToolchain } from './toolchains.ts'

const TOTAL = {
  MEMORY: size().describe('memory, in all').prefault(0),
  CPU: millicores().describe('cpu time, in all').prefault(0),
  DISK: size().describe('disk, in all').prefault(0),
  PIDS: whole(0, 4_194_304).describe('processes and threads, in all').default(0),
  RUNS: whole(0, 100_000).describe('runs at once').default(0),
}

const SERVICE = {
  MEMORY: size().describe('memory of one service; default: TOTAL.MEMORY').optional(),
  CPU: millicores().describe('cpu of one service; default: TOTAL.CPU').optional(),
  DISK: size().describe('disk of one service; default: TOTAL.DISK').optional(),
  PIDS: whole(0, 4_194_304).describe('processes and threads of one service; default: TOTAL.PIDS').optional(),
  TIMEOUT: duration(1, MAX_LIFETIME_SECONDS).describe('longest run; default: until the service expires').optional(),
}

const CHECK = {
  INTERVAL: duration(1, 3600).describe('between two checks').prefault(10),
  TIMEOUT: duration(1, 300).describe('how long one check may take').prefault(5),
  FAILURES: whole(1, 100).describe('failures in a row after which the run is ended, as one that failed').default(3),
}

const RESULTS = {
  BYTES: size()
    .describe('what results may take on the disk, in all; one of them a quarter of it at most; 0 = none is kept')
    .prefault(0),
  SECONDS: duration(1, 31_622_400).describe('how long they are kept after the task has ended').prefault('7d'),
}

const BACKOFF = {
  FIRST: duration(1, 3600).describe('before the first restart; doubled for each that follows').prefault(1),
  MAX: duration(1, 86_400).describe('the longest wait').prefault(300),
}

/** Each costs a machine the memory of a Node.js, and some milliseconds of each start. */
const MAX_WARM = 64

const WARM_CLASS = {
  COUNT: whole(1, MAX_WARM).describe('how many are kept warm'),
  MEMORY: size().describe('memory of a run that starts in one'),
  DISK: size().describe('its disk'),
  PIDS: whole(1, 4_194_304).describe('its processes and threads'),
}

const WARM = {
  'node.js': list(keys(WARM_CLASS), 16)
    .describe(
      'sandboxes or containers with a Node.js that waits for its program, for runs whose grant is exactly one of these',
    )
    .default([]),
  GATEWAYS: whole(0, MAX_WARM)
    .describe('gateways for runs of any other grant or toolchain, which start their own program')
    .default(0),
}

export const limits = keys({
  TOTAL: keys(TOTAL).describe('what this node grants to all services together').prefault({}),
  SERVICE: keys(SERVICE).describe('the most that one service gets').prefault({}),
  EVICT: flag().describe('may a service that ranks higher end one that ranks lower').default(false),
  HEALTHY_SECONDS: whole(1, 3600)
    .describe('a service without ports and without run.check is healthy when it has run for so long')
    .default(10),
  HEALTHY_DEADLINE: duration(1, 86_400)
    .describe(
      'an update, and a service with run.check, that is not healthy after so long has failed; default: six times HEALTHY_SECONDS',
    )
    .optional(),
  CHECK: keys(CHECK).describe('how run.check is carried out').prefault({}),
  RESULTS: keys(RESULTS).describe('what tasks leave for their authors (run.outputs)').prefault({}),
  BACKOFF: keys(BACKOFF).describe('between restarts of a service').prefault({}),
  WARM: keys(WARM)
    .describe('what is kept warm so that runs start sooner, as far as memory is free; {} = nothing')
    .prefault({}),
}).transform(({ TOTAL: total, SERVICE: service, ...rest }, context) => {
  const { FIRST, MAX } = rest.BACKOFF
  if (FIRST > MAX) sentence(context, ['BACKOFF', 'FIRST'], `contradicts BACKOFF.MAX: it is ${FIRST} s, MAX is ${MAX} s`)
  for (const key of ['MEMORY', 'CPU', 'DISK', 'PIDS'] as const) {
    const asked = service[key]
    if (asked !== undefined && asked > total[key]) {
      sentence(
        context,
        ['SERVICE', key],
        `contradicts TOTAL.${key}: one service would get ${asked}, all together ${total[key]}`,
      )
    }
  }
  for (const [index, warm] of rest.WARM['node.js'].entries()) {
    for (const key of ['MEMORY', 'DISK', 'PIDS'] as const) {
      const most = service[key] ?? total[key]
      if (warm[key] <= most) continue
      sentence(context, ['WARM', 'node.js', index, key], `is ${warm[key]}, but one service gets ${most} at most`)
    }
  }
  const warm = rest.WARM['node.js'].reduce((sum, { COUNT, MEMORY }) => sum + COUNT * MEMORY, 0)
  if (warm > total.MEMORY) {
    const problem = `contradicts TOTAL.MEMORY: all together would keep ${formatBytes(warm)} warm, and it is ${formatBytes(total.MEMORY)}; lower COUNT or MEMORY`
    sentence(context, ['WARM', 'node.js'], problem)
  }
  const { MEMORY, CPU, DISK, PIDS } = { ...total, ...defined(service) }
  const HEALTHY_DEADLINE = rest.HEALTHY_DEADLINE ?? 6 * rest.HEALTHY_SECONDS
  return { ...rest, TOTAL: total, SERVICE: { MEMORY, CPU, DISK, PIDS, TIMEOUT: service.TIMEOUT }, HEALTHY_DEADLINE }
})

export const dockerConfigs = keys({
  socketPath: z.string('a path').min(1, 'a path').max(256, 'a path').describe("path of the engine's socket").optional(),
  protocol: oneOf(['http', 'https']).describe('https needs ca, cert and key').optional(),
  host: hostName('a host name or IP address').describe("the engine's host").optional(),
  port: whole(1, 65_535).describe("the engine's port").optional(),
  ca: z.string('a path').describe("file with the PEM of the engine's authority").optional(),
  cert: z.string('a path').describe('file with the PEM of our certificate').optional(),
  key: z.string('a path').describe('file with the PEM of our key').optional(),
  runtime: oneOf(['runc', 'runsc', 'kata']).describe('the container runtime to ask for').optional(),
  SWARM: z
    .boolean('true or false')
    .describe('the engine manages a Docker Swarm, on whose machines containers run; needs SWARM_REGISTRY')
    .default(false),
  SWARM_CONSTRAINTS: list(
    z
      .string('a constraint')
      .regex(/^[\w.-]+\s*(==|!=)\s*[\w.:/-]+$/, 'a constraint of Docker, like node.role==worker')
      .max(200, 'at most 200 characters'),
    32,
  )
    .describe('on which machines of the swarm containers run, as Docker writes it: "node.role==worker"; default: all')
    .default([]),
  SWARM_REGISTRY: z
    .string('a registry')
    .regex(/^[a-z0-9.-]+(:\d{1,5})?(\/[a-z0-9._-]+)*$/, 'host[:port][/path], without https:// and in small letters')
    .max(200, 'host[:port][/path]')
    .describe('registry that the node pushes the image of its launchers to, and all machines of the swarm pull from')
    .optional(),
}).superRefine((docker, context) => {
  if (docker.SWARM && docker.SWARM_REGISTRY === undefined) {
    sentence(
      context,
      ['SWARM'],
      'is true, which needs SWARM_REGISTRY: the registry that all machines of the swarm pull from, as "registry.example.org:5000"',
    )
  }
  const { socketPath, protocol, host, ca, cert, key } = docker
  if (socketPath !== undefined && (host ?? protocol ?? docker.port) !== undefined) {
    sentence(
      context,
      ['socketPath'],
      'contradicts host, port and protocol: an engine is reached one way; keep one of the two',
    )
  }
  if (host === undefined && (docker.port ?? protocol) !== undefined) {
    sentence(context, ['host'], 'is missing; port and protocol say how to reach a host, so name it')
  }
  if (host !== undefined && protocol !== 'https' && !isLoopbackHost(host)) {
    sentence(
      context,
      ['host'],
      'is not this machine, and plain TCP gives everyone on the way full control of the engine; use protocol "https" with ca, cert and key',
    )
  }
  if (protocol === 'https' && (ca === undefined || cert === undefined || key === undefined)) {
    sentence(context, ['protocol'], 'is "https", which needs all of ca, cert and key')
  }
})

export const toolchainList = words(32).transform((names) => [...new Set(names.map(canonicalToolchain))])
export const minFreeze = keys({ MIN_FREEZE: decimal().describe('amount that must be shown frozen').optional() })

export const netcap = keys({
  MODE: oneOf(['none', 'allowlist', 'open']).describe('"open": every public name').default('none'),
  ALLOW: list(networkTarget(), 256)
    .describe('host:port, *.host:port for every name below it, or service:self for the other runs of the same service')
    .default([]),
  RATE_KBPS: whole(1, 100_000_000).describe('kilobits a second of one run').optional(),
  PORTS: list(whole(1, 65_535), 256).describe('ports that may be asked for; default: any').optional(),
}).superRefine(({ MODE, ALLOW }, context) => {
  if (MODE === 'none' && ALLOW.length > 0) {
    sentence(
      context,
      ['ALLOW'],
      'contradicts MODE "none", which grants no network; set MODE to "allowlist" or remove ALLOW',
    )
  }
})

/** An address of REGISTRIES: text, or with what it is for. */
export const mirror = z.union(
  [
    httpUrl(),
    keys({
      URL: httpUrl().describe('the address'),
      OWN_ONLY: flag().describe("only services of the node's own address are served from it"),
    }),
  ],
  'an http(s) address like "https://localhost:4873", or { "URL": "https://localhost:4873", "OWN_ONLY": true }',
)

const MODE = oneOf(['enforce', 'warn']).optional()

export const modes = keys(
  Object.fromEntries(
    RULE_NAMES.map((name) => [name, MODE.describe(`what the rule "${name}" does; default "enforce"`)]),
  ) as Record<RuleName, typeof MODE>,
).superRefine((chosen, context) => {
  for (const name of PHYSICAL_RULES) {
    if (chosen[name] !== 'warn') continue
    sentence(context, [name], 'is "warn", but this rule can only enforce: what it refuses could not run here anyway')
  }
})

export const hub = keys({
  WEIGHT: whole(0, Number.MAX_SAFE_INTEGER).describe('counts towards QUORUM.WEIGHT').default(0),
  MEMBERS: addressMap(proofOfPossession(), {
    max: MAX_MEMBERS,
    allowed: 'an object from address to proof of possession',
  })
    .describe(
      'of a BLS12-381 hub: all its members, each with its proof of possession; without it, only all of them together count',
    )
    .optional(),
  THRESHOLD: whole(1, MAX_MEMBERS).describe('members that must have signed').optional(),
}).superRefine(({ MEMBERS, THRESHOLD }, context) => {
  const count = Object.keys(MEMBERS ?? {}).length
  if (MEMBERS === undefined && THRESHOLD !== undefined) {
    sentence(context, ['THRESHOLD'], `is ${THRESHOLD}, but MEMBERS is missing`)
  } else if (MEMBERS !== undefined && THRESHOLD === undefined) {
    sentence(context, ['MEMBERS'], `names ${count}, but there is no THRESHOLD that says how many of them must sign`)
  } else if (THRESHOLD !== undefined && THRESHOLD > count) {
    sentence(context, ['THRESHOLD'], `is ${THRESHOLD}, but MEMBERS names ${count}`)
  }
})

function defined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as never
}
