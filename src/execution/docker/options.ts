import type Docker from 'dockerode'
import {
  DOOR_MEMORY_BYTES,
  DOOR_PIDS,
  ENGINE_LOG,
  HELPER_HEAP_MIB,
  LABEL,
  LABEL_ROLE,
  MAX_OPEN_FILES,
  NOBODY,
  TMP_BYTES,
} from '../constants.ts'
import type { Plan } from '../contract.ts'

export type Role = Plan['purpose'] | 'door'
const USER = `${NOBODY}:${NOBODY}`
const SHM_BYTES = 16 * 1024 * 1024

/** Where a run is found again: names that follow from the run alone. JSON. */
export type DockerHandle = { readonly name: string; readonly door: string; readonly socket: string }

export type ContainerInput = {
  readonly plan: Plan
  readonly handle: DockerHandle
  readonly nodeId: string
  /** image id, never a tag: what is started is what was resolved */
  readonly image: string
  readonly runtime?: string | undefined
  readonly memory: { readonly swap: boolean }
}

/** What a run's container may do: nothing that its grant does not say. */
export function runOptions({
  plan,
  handle,
  nodeId,
  image,
  runtime,
  memory,
}: ContainerInput): Docker.ContainerCreateOptions {
  const { grant, codeDir } = plan
  const [program = '', ...args] = plan.command
  return {
    name: handle.name,
    Image: image,
    Entrypoint: [program],
    Cmd: args,
    Env: environment(plan).map(([name, value]) => `${name}=${value}`),
    WorkingDir: codeDir === undefined && plan.workdir === '' ? '' : `/code/${plan.workdir}`.replace(/\/$/, ''),
    User: USER,
    Labels: labels(nodeId, plan, plan.purpose),
    AttachStdout: false,
    AttachStderr: false,
    HostConfig: {
      ...hardening(),
      ...(runtime === undefined ? {} : { Runtime: runtime }),
      NetworkMode: 'none',
      Memory: grant.memoryBytes,
      ...(memory.swap ? { MemorySwap: grant.memoryBytes } : {}),
      NanoCpus: grant.cpuMillicores * 1_000_000,
      PidsLimit: grant.pids,
      ShmSize: SHM_BYTES,
      Tmpfs: {
        '/tmp': `rw,noexec,nosuid,nodev,size=${TMP_BYTES},mode=1777`,
        '/work': `rw,exec,nosuid,nodev,size=${Math.max(4096, grant.diskBytes)},mode=0700,uid=${NOBODY},gid=${NOBODY}`,
      },
      Mounts: codeDir === undefined ? [] : [bind(codeDir, '/code', plan.purpose === 'run')],
    },
  }
}

/** The door: our own Node in the run's network, with nothing but its script and the folder for its socket. */
export function doorOptions(input: {
  plan: Pick<Plan, 'runId' | 'service' | 'ports'>
  handle: DockerHandle
  nodeId: string
  image: string
  script: { dir: string; file: string }
  socketDir: string
  socketFile: string
}): Docker.ContainerCreateOptions {
  const { plan, handle, script } = input
  const flags = ['--disable-warning=MODULE_TYPELESS_PACKAGE_JSON', `--max-old-space-size=${HELPER_HEAP_MIB}`]
  return {
    name: handle.door,
    Image: input.image,
    Entrypoint: ['/usr/local/bin/node'],
    Cmd: [...flags, `/door/${script.file}`, `/socket/${input.socketFile}`, plan.ports.join(',')],
    Env: [],
    WorkingDir: '/',
    User: USER,
    Labels: labels(input.nodeId, plan, 'door'),
    HostConfig: {
      ...hardening(),
      NetworkMode: `container:${handle.name}`,
      Memory: DOOR_MEMORY_BYTES,
      PidsLimit: DOOR_PIDS,
      Mounts: [bind(script.dir, '/door', true), bind(input.socketDir, '/socket', false)],
    },
  }
}

export function nodeFilter(nodeId: string): { label: string[] } {
  return { label: [`${LABEL.node}=${nodeId}`] }
}

function hardening(): Docker.HostConfig {
  return {
    CapDrop: ['ALL'],
    // Without a seccomp option the engine's own default profile is in force.
    SecurityOpt: ['no-new-privileges'],
    ReadonlyRootfs: true,
    IpcMode: 'private',
    Init: true,
    AutoRemove: false,
    Ulimits: [
      { Name: 'nofile', Soft: MAX_OPEN_FILES, Hard: MAX_OPEN_FILES },
      { Name: 'core', Soft: 0, Hard: 0 },
    ],
    LogConfig: { Type: 'json-file', Config: ENGINE_LOG },
    RestartPolicy: { Name: '' },
  }
}

function labels(
  nodeId: string,
  { service, runId }: Pick<Plan, 'service' | 'runId'>,
  role: Role,
): Record<string, string> {
  return { [LABEL.node]: nodeId, [LABEL.service]: service, [LABEL.run]: runId, [LABEL_ROLE]: role }
}

function environment(plan: Plan): [string, string][] {
  return Object.entries({ HOME: '/work', TMPDIR: '/tmp', LANG: 'C.UTF-8', ...plan.env })
}

function bind(source: string, target: string, readOnly: boolean): Docker.MountConfig[number] {
  return { Type: 'bind', Source: source, Target: target, ReadOnly: readOnly, BindOptions: { Propagation: 'rprivate' } }
}
