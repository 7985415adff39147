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

/** What a container is for; `load` and `probe` are never started. */
export type Role = Plan['purpose'] | 'door' | 'load' | 'probe'
const USER = `${NOBODY}:${NOBODY}`
const NO_COPY = { NoCopy: true, Labels: {}, DriverConfig: { Name: '', Options: {} } }
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
  /** where the engine does not see `codeDir`: the volume that holds a copy of it */
  readonly volume?: string | undefined
  readonly memory: { readonly swap: boolean }
}

/** What a run's container may do: nothing that its grant does not say. */
export function runOptions({
  plan,
  handle,
  nodeId,
  image,
  runtime,
  volume,
  memory,
}: ContainerInput): Docker.ContainerCreateOptions {
  const { grant, codeDir } = plan
  const [program = '', ...args] = plan.command
  const readOnly = plan.purpose === 'run'
  const code = volume === undefined ? codeDir && bind(codeDir, '/code', readOnly) : mount(volume, '/code', readOnly)
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
      Mounts: code ? [code] : [],
    },
  }
}

/** What a door needs of its engine: a folder for its socket, or nothing but to be attached to. */
export type DoorCarrier =
  | { kind: 'socket'; script: { dir: string; file: string }; socketDir: string; socketFile: string }
  | { kind: 'stdio'; main: string; files: Readonly<Record<string, string>>; volume?: string | undefined }

/** Writes the door's own files, which came in its environment, and becomes the first of them. */
const BEGIN = `const files = Object.entries(JSON.parse(process.env.DOOR))
for (const [name, text] of files) require('node:fs').writeFileSync('/tmp/' + name, text)
import('/tmp/' + files[0][0])`

/** The door: our own Node in the run's network, with nothing but its script and what carries it. */
export function doorOptions(input: {
  plan: Pick<Plan, 'runId' | 'service' | 'ports'>
  handle: DockerHandle
  nodeId: string
  image: string
  carrier: DoorCarrier
}): Docker.ContainerCreateOptions {
  const { plan, handle, carrier } = input
  const flags = ['--disable-warning=MODULE_TYPELESS_PACKAGE_JSON', `--max-old-space-size=${HELPER_HEAP_MIB}`]
  const ports = plan.ports.join(',')
  const base = { Image: input.image, Entrypoint: ['/usr/local/bin/node'], WorkingDir: '/', User: USER }
  const limits = { NetworkMode: `container:${handle.name}`, Memory: DOOR_MEMORY_BYTES, PidsLimit: DOOR_PIDS }
  const common = { ...base, name: handle.door, Labels: labels(input.nodeId, plan, 'door') }
  if (carrier.kind === 'socket') {
    const { script, socketDir, socketFile } = carrier
    return {
      ...common,
      Cmd: [...flags, `/door/${script.file}`, `/socket/${socketFile}`, ports],
      Env: [],
      HostConfig: {
        ...hardening(),
        ...limits,
        Mounts: [bind(script.dir, '/door', true), bind(socketDir, '/socket', false)],
      },
    }
  }
  return {
    ...common,
    Cmd: [...flags, '-e', BEGIN, '--', 'stdio', ports],
    Env: [`DOOR=${JSON.stringify(carrier.files)}`],
    OpenStdin: true,
    StdinOnce: false,
    HostConfig: {
      ...hardening(),
      ...limits,
      // What goes through it is nothing to keep.
      LogConfig: { Type: 'none', Config: {} },
      Tmpfs: { '/tmp': `rw,noexec,nosuid,nodev,size=1m,mode=0700,uid=${NOBODY},gid=${NOBODY}` },
      Mounts: carrier.volume === undefined ? [] : [mount(carrier.volume, '/code', true)],
    },
  }
}

/** Holds a volume while code is put into it; never started. */
export function loadOptions(input: {
  plan: Pick<Plan, 'runId' | 'service'>
  name: string
  nodeId: string
  image: string
  volume: string
}): Docker.ContainerCreateOptions {
  return {
    name: input.name,
    Image: input.image,
    Entrypoint: ['/never'],
    Labels: labels(input.nodeId, input.plan, 'load'),
    HostConfig: { NetworkMode: 'none', Mounts: [mount(input.volume, '/code', false)] },
  }
}

/** Shows the engine a folder; never started. */
export function probeOptions(input: {
  name: string
  nodeId: string
  image: string
  dir: string
}): Docker.ContainerCreateOptions {
  return {
    name: input.name,
    Image: input.image,
    Entrypoint: ['/never'],
    Labels: labels(input.nodeId, { service: '', runId: input.name }, 'probe'),
    HostConfig: { NetworkMode: 'none', Mounts: [bind(input.dir, '/probe', true)] },
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

export function labels(
  nodeId: string,
  { service, runId }: Pick<Plan, 'service' | 'runId'>,
  role: Role,
): Record<string, string> {
  return { [LABEL.node]: nodeId, [LABEL.service]: service, [LABEL.run]: runId, [LABEL_ROLE]: role }
}

function environment(plan: Plan): [string, string][] {
  return Object.entries({ HOME: '/work', TMPDIR: '/tmp', LANG: 'C.UTF-8', ...plan.env })
}

/** Without what the image has there: it would be copied in. */
function mount(volume: string, target: string, readOnly: boolean): Docker.MountConfig[number] {
  return { Type: 'volume', Source: volume, Target: target, ReadOnly: readOnly, VolumeOptions: NO_COPY }
}

function bind(source: string, target: string, readOnly: boolean): Docker.MountConfig[number] {
  return { Type: 'bind', Source: source, Target: target, ReadOnly: readOnly, BindOptions: { Propagation: 'rprivate' } }
}
