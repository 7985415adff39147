import { InputError } from '../../base/errors.ts'
import { closestMatch, joinWords } from '../../base/format.ts'
import { type RunnerConfig, readPolicy } from '../../config/index.ts'
import {
  type Capacity,
  NOTHING_KNOWN,
  type ReceivedRun,
  type ReceivedService,
  type Resources,
  type RunnerSnapshot,
} from '../contract.ts'

/** The address of the node in every example, and the author of `exampleService()`. */
export const EXAMPLE_NODE = 'AKnL4NNf3DGWZJS6cPknBuEGnVsV4A4m5tgebLHaRSZ9'
/** An author for whom no delegation in the examples vouches. */
export const EXAMPLE_STRANGER = '9hSR6S7WPtxmTojgo6GG3k4yDPecgJY292j7xrsUGWBu'

const MIB = 1024 * 1024

export type ServiceOverrides = Partial<Omit<ReceivedService, 'run' | 'resources'>> & {
  readonly run?: Partial<ReceivedRun> | undefined
  readonly resources?: Partial<Resources> | undefined
}

export type SnapshotOverrides = Partial<Omit<RunnerSnapshot, 'config' | 'capacity'>> & {
  /** settings as config.json has them, or a configuration that was read already */
  readonly config?: object | undefined
  readonly capacity?: Partial<Capacity> | undefined
}

/**
 * A small web service in node.js, as a runner sees it: 64 MiB of memory, 1 MiB of disk, a tenth of a core, 16 processes,
 * one replica, no egress, a day of life (seconds, UTC), by the example node itself. `overrides` take precedence;
 * `run` and `resources` are merged. Throws an InputError for a field that no service has.
 *
 *     exampleService({ author: EXAMPLE_STRANGER, keywords: ['game'], resources: { memory: 512 * 1024 * 1024 } })
 */
export function exampleService(overrides: ServiceOverrides = {}): ReceivedService {
  const service: ReceivedService = {
    id: 'bafyreigdmqpykrgxyaxtlafqpqhzrb7qy2rh75nldvfd4tucqmqqme5yje',
    author: EXAMPLE_NODE,
    name: 'hello',
    seq: 1,
    title: 'Hello',
    desc: 'says hello',
    keywords: ['api', 'web'],
    toolchain: ['node.js'],
    symbiotes: [],
    hostchains: [],
    issued: 1_700_000_000,
    expires: 1_700_086_400,
    code: 'bafyreihyrpefhacm6kkp4ql6j6udakdit7g3dmkzfriqfykhjw6cad5lrm',
    sources: [{ type: 'mesh' }],
    run: { command: ['node', 'server.js'], ports: [{ name: 'http', port: 8080, access: 'any' }], kind: 'service' },
    resources: { memory: 64 * MIB, disk: MIB, cpu: 100, pids: 16 },
    network: [],
    replicas: 1,
    replyTo: [],
    sizeBytes: 700,
  }
  refuseUnknown(overrides, [...Object.keys(service), 'reward'], 'a service')
  const run = { ...service.run, ...overrides.run }
  return { ...service, ...overrides, run, resources: { ...service.resources, ...overrides.resources } }
}

/**
 * What a node knows at one moment: 512 MiB of memory, one core, 1 GiB of disk, 64 processes and 4 runs are free, Docker
 * and the host's sandbox are there, nothing runs, and no statement, freeze or delegation has come. Bytes, thousandths of
 * a core, whole seconds UTC. `overrides` take precedence; `capacity` is merged, and `config` takes settings as config.json
 * has them. Throws an InputError for a field that no snapshot has, and for settings that are wrong.
 *
 *     exampleSnapshot({ config: { KEYWORDS: ['api'] }, capacity: { runs: 0 }, inTree: true })
 */
export function exampleSnapshot(overrides: SnapshotOverrides = {}): RunnerSnapshot {
  const { config, capacity, ...rest } = overrides
  const snapshot: RunnerSnapshot = {
    ...NOTHING_KNOWN,
    config: configOf(config ?? EXAMPLE_SETTINGS),
    own: EXAMPLE_NODE,
    capacity: {
      memoryBytes: 512 * MIB,
      cpuMillicores: 1000,
      diskBytes: 1024 * MIB,
      pids: 64,
      runs: 4,
      executors: [{ name: 'docker' }, { name: 'host', toolchains: ['node.js'] }],
    },
    running: [],
    clientRegistries: {},
    depth: 3,
    now: 1_700_000_100,
  }
  refuseUnknown(overrides, Object.keys(snapshot), 'a snapshot')
  return { ...snapshot, ...rest, capacity: { ...snapshot.capacity, ...capacity } }
}

/** Settings under which Andromeda runs `exampleService()`. */
const EXAMPLE_SETTINGS = {
  REDIRECTION_DEPTH: 3,
  PREFER_TOOLCHAIN: { docker: ['node.js'], host: ['node.js'] },
  LIMITS: { TOTAL: { MEMORY: '512MiB', CPU: 1000, DISK: '1GiB', PIDS: 64, RUNS: 4 } },
}

/** Settings as an object; one that was read already stays what it is. */
export function configOf(settings: object): RunnerConfig {
  return readPolicy(settings, 'config').policy.config
}

function refuseUnknown(given: object, known: readonly string[], what: string): void {
  const unknown = Object.keys(given).find((key) => !known.includes(key))
  if (unknown === undefined) return
  const near = closestMatch(unknown, known)
  const hint = near === undefined ? `its fields are ${joinWords(known)}` : `did you mean ${near}?`
  throw new InputError(`${what} has no field ${JSON.stringify(unknown)}; ${hint}`)
}
