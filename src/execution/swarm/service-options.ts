import { readFile } from 'node:fs/promises'
import type Docker from 'dockerode'
import { entryFile } from '../../base/child-entry.ts'
import {
  ENGINE_LOG,
  GATEWAY_MEMORY_BYTES,
  GATEWAY_PIDS,
  GATEWAY_UID,
  HELPER_HEAP_MIB,
  LABEL,
  LABEL_ROLE,
} from '../constants.ts'
import { hardening } from '../docker/container-options.ts'
import { dockerSeccompProfile } from '../seccomp/docker-profile.ts'
import type { Plan } from '../types.ts'
import { ENGINE_SOCKET } from './launcher/engine-client.ts'
import { KEY_FILE, type LauncherSettings } from './launcher/settings.ts'

/** Of the node itself; what a launcher makes belongs to the launcher's task. */
export const LABEL_NODE = 'thundercloud.swarm.node'
const NANOSECONDS = 1_000_000
/** Between asking a launcher to end and ending it: it removes its run first. */
const STOP_GRACE_MS = 60_000
const SCRATCH_BYTES = 2 * 2 ** 20
/** What a machine keeps free for a run beside its grant: launcher and gateway. */
const BESIDE_BYTES = 2 * GATEWAY_MEMORY_BYTES

const FILES = {
  launcher: ['swarm/launcher/launcher-main', 'swarm/launcher/leftovers', 'swarm/launcher/engine-client'],
  relay: ['swarm/launcher/relay-main', 'gateway/handshake', 'gateway/server'],
  both: ['swarm/launcher/settings', 'gateway/mux'],
}

/** Writes the program's files, which came in its environment, and becomes the first of them. */
const BEGIN = `const fs = require('node:fs'), files = Object.entries(JSON.parse(process.env.PROGRAM))
for (const [name, text] of files) {
  fs.mkdirSync(require('node:path').dirname('/tmp/' + name), { recursive: true })
  fs.writeFileSync('/tmp/' + name, text)
}
delete process.env.PROGRAM
import('/tmp/' + files[0][0])`

const FLAGS = ['--disable-warning=MODULE_TYPELESS_PACKAGE_JSON', `--max-old-space-size=${HELPER_HEAP_MIB}`, '-e', BEGIN]
const NODE = '/usr/local/bin/node'

/** The text of a program of ours, by the paths of its files, the first one first. */
async function programOf(name: 'launcher' | 'relay'): Promise<string> {
  const paths = [...FILES[name], ...FILES.both].map((path) => [path, entryFile(import.meta.url, `../${path}`)] as const)
  const files = await Promise.all(
    paths.map(
      async ([path, file]) => [path + file.slice(file.lastIndexOf('.')), await readFile(file, 'utf8')] as const,
    ),
  )
  return JSON.stringify(Object.fromEntries(files))
}

/** 63 characters at most, which is what the swarm takes: the id of a build is longer than a run's. */
export function serviceName(runId: string, nonce: Buffer): string {
  return `thundercloud-${runId.slice(0, 40)}-${nonce.toString('hex').slice(0, 8)}`
}

export type LauncherInput = {
  readonly name: string
  readonly nodeId: string
  /** by the digest of its manifest */
  readonly image: string
  /** the machine's architecture, as the swarm calls it */
  readonly architecture: string
}

export type RunLauncherInput = LauncherInput & {
  readonly plan: Pick<Plan, 'runId' | 'service' | 'purpose' | 'grant'>
  readonly network: string
  readonly secret: string
  readonly constraints: readonly string[]
}

/** The service of one run. It is placed where what the run is granted is free, and is never started again by the swarm. */
export async function launcherService(input: RunLauncherInput): Promise<Docker.CreateServiceOptions> {
  const { plan, nodeId, name, network, secret, constraints } = input
  const { memoryBytes, cpuMillicores } = plan.grant
  const base = await taskOf(input, { mode: 'run' })
  const file = { Name: KEY_FILE, UID: '0', GID: '0', Mode: 0o400 }
  return {
    Name: name,
    Labels: {
      ...{ [LABEL_NODE]: nodeId, [LABEL_ROLE]: plan.purpose },
      ...{ [LABEL.run]: plan.runId, [LABEL.service]: plan.service },
    },
    TaskTemplate: {
      ...base,
      ContainerSpec: {
        ...base.ContainerSpec,
        Secrets: [{ File: file, SecretID: secret, SecretName: name }],
      },
      Placement: { ...base.Placement, Constraints: [...constraints] },
      Networks: [{ Target: network }],
      Resources: {
        // its control group may have the run's in it
        Limits: { MemoryBytes: memoryBytes + BESIDE_BYTES },
        Reservations: { MemoryBytes: memoryBytes + BESIDE_BYTES, NanoCPUs: cpuMillicores * NANOSECONDS },
      },
    },
    Mode: { Replicated: { Replicas: 1 } },
    EndpointSpec: { Mode: 'dnsrr' },
  }
}

/** Removes from one machine what killed launchers left there, and ends. */
export async function sweepService(input: LauncherInput & { machine: string }): Promise<Docker.CreateServiceOptions> {
  const base = await taskOf(input, { mode: 'sweep' })
  return {
    Name: input.name,
    Labels: { [LABEL_NODE]: input.nodeId, [LABEL_ROLE]: 'sweep' },
    TaskTemplate: {
      ...base,
      Placement: { ...base.Placement, Constraints: [`node.id==${input.machine}`] },
      Resources: { Limits: { MemoryBytes: GATEWAY_MEMORY_BYTES } },
    },
    Mode: { Replicated: { Replicas: 1 } },
    EndpointSpec: { Mode: 'dnsrr' },
  }
}

async function taskOf({ image, architecture }: LauncherInput, settings: LauncherSettings) {
  const program = await programOf('launcher')
  const container = {
    Image: image,
    Command: [NODE, ...FLAGS, '--', 'launcher', JSON.stringify(settings)],
    // the swarm writes the id of the task there
    Env: [`PROGRAM=${program}`, 'THUNDERCLOUD_TASK={{.Task.ID}}'],
    Dir: '/',
    // the owner of the engine's socket; it has no capability
    User: '0:0',
    ReadOnly: true,
    Init: true,
    CapabilityDrop: ['ALL'],
    StopGracePeriod: STOP_GRACE_MS * NANOSECONDS,
    HealthCheck: { Test: ['NONE'] },
    Mounts: [
      { Type: 'bind', Source: ENGINE_SOCKET, Target: ENGINE_SOCKET },
      { Type: 'tmpfs', Target: '/tmp', TmpfsOptions: { SizeBytes: SCRATCH_BYTES, Mode: 0o700 } },
    ] as Docker.MountSettings[],
  }
  return {
    ContainerSpec: container as Docker.ContainerSpec,
    RestartPolicy: { Condition: 'none' },
    Placement: { Platforms: [{ OS: 'linux', Architecture: architecture }] },
    LogDriver: { Name: 'json-file', Options: ENGINE_LOG },
  }
}

/** It lives as long as the connection of the node that it is made for. */
export async function relayContainer(input: {
  name: string
  nodeId: string
  image: string
  network: string
  seccomp: boolean
}): Promise<Docker.ContainerCreateOptions> {
  return {
    name: input.name,
    Image: input.image,
    Entrypoint: [NODE],
    Cmd: [...FLAGS, '--', 'relay'],
    Env: [`PROGRAM=${await programOf('relay')}`],
    WorkingDir: '/',
    User: `${GATEWAY_UID}:${GATEWAY_UID}`,
    Labels: { [LABEL_NODE]: input.nodeId, [LABEL_ROLE]: 'relay' },
    Healthcheck: { Test: ['NONE'] },
    OpenStdin: true,
    StdinOnce: true,
    HostConfig: {
      ...hardening(input.seccomp ? dockerSeccompProfile() : undefined),
      AutoRemove: true,
      NetworkMode: input.network,
      Memory: GATEWAY_MEMORY_BYTES,
      PidsLimit: GATEWAY_PIDS,
      // What goes through it is nothing to keep.
      LogConfig: { Type: 'none', Config: {} },
      Tmpfs: { '/tmp': `rw,noexec,nosuid,nodev,size=1m,mode=0700,uid=${GATEWAY_UID},gid=${GATEWAY_UID}` },
    },
  }
}
