import type Docker from 'dockerode'
import { ENGINE_LOG, inodesFor, LABEL, LABEL_ROLE, MAX_OPEN_FILES, NOBODY, TMP_BYTES } from '../constants.ts'
import { dockerSeccompProfile } from '../seccomp/docker-profile.ts'
import type { Plan, ReadOnlyMount } from '../types.ts'
import type { ImageWishes } from './images/image-wishes.ts'

/** What a container is for; `load` and `probe` are never started. */
export type Role = Plan['purpose'] | 'gateway' | 'load' | 'probe' | 'warm'
/** Where code is seen in a container, and the folder of its own. */
export const CODE = '/code'
export const WORK = '/work'
const TMP = '/tmp'
const NO_COPY = { NoCopy: true, Labels: {}, DriverConfig: { Name: '', Options: {} } }
const SHM_BYTES = 16 * 1024 * 1024
const ETC = ['passwd', 'group']

/** How a run is found again: names that are derived from the run alone. JSON; `gateway` is the container of its gateway. */
export type DockerHandle = { readonly name: string; readonly gateway: string; readonly socket: string }

export type ContainerInput = {
  readonly plan: Plan
  readonly handle: DockerHandle
  readonly nodeId: string
  /** image id, never a tag: what is started is what was resolved */
  readonly image: string
  /** What the image's configuration wishes for. None of it is granted. */
  readonly wishes: ImageWishes
  readonly runtime?: string | undefined
  /** where the engine does not see `codeDir`: the volume that holds a copy of it */
  readonly volume?: string | undefined
  /** of a build: where the engine has the file system that all that it writes lies in */
  readonly disk?: string | undefined
  /** the volume of /work, which its gateway holds; absent: one that goes with the run */
  readonly work?: string | undefined
  readonly memory: { readonly swap: boolean }
  /** the engine filters system calls */
  readonly seccomp: boolean
  /** folder on this machine with a passwd and a group that know the run's user; for an engine that sees it */
  readonly etcDir?: string | undefined
  /** files of this machine that it sees, for an engine that sees them */
  readonly shown?: readonly ReadOnlyMount[] | undefined
  /** It waits for a run: its code is mounted later, in the place of what waits, and its labels are not the run's. */
  readonly warm?: boolean | undefined
}

/** What a run's container may do: nothing that its grant does not say. */
export function runOptions({
  plan,
  handle,
  nodeId,
  image,
  wishes,
  runtime,
  volume,
  disk,
  work,
  memory,
  seccomp,
  etcDir,
  shown = [],
  warm = false,
}: ContainerInput): Docker.ContainerCreateOptions {
  const { grant, codeDir } = plan
  const [program = '', ...args] = plan.command
  const readOnly = plan.purpose === 'run' && !warm
  const uid = plan.uid ?? NOBODY
  const code =
    volume === undefined
      ? codeDir && bind(codeDir, CODE, readOnly, warm ? 'rslave' : 'rprivate')
      : mount(volume, CODE, readOnly)
  const mounts = [
    ...(disk === undefined ? (code ? [code] : []) : buildMounts(disk)),
    ...(work === undefined ? [] : [mount(work, WORK, false)]),
    ...shown.map(({ path, as }) => bind(path, as, true)),
    ...ETC.flatMap((name) => (etcDir ? [bind(`${etcDir}/${name}`, `/etc/${name}`, true)] : [])),
  ]
  const emptied = wishes.volumes.filter((path) => !mounts.some(({ Target }) => Target === path))
  return {
    name: handle.name,
    Image: image,
    Entrypoint: [program],
    Cmd: args,
    Env: environment(plan).map(([name, value]) => `${name}=${value}`),
    WorkingDir: beginsWhereImageSays(plan) ? '' : `/code/${plan.workdir}`.replace(/\/$/, ''),
    User: `${uid}:${uid}`,
    // those of the image would be orders to other programs of the engine's machine
    Labels: {
      ...Object.fromEntries(wishes.labels.map((name) => [name, ''])),
      ...labels(nodeId, plan, warm ? 'warm' : plan.purpose),
    },
    // the engine itself would run it, at what intervals the image says
    Healthcheck: { Test: ['NONE'] },
    AttachStdout: false,
    AttachStderr: false,
    HostConfig: {
      ...hardening(seccomp ? dockerSeccompProfile() : undefined),
      // the gateway's init reaps for both
      Init: false,
      ...(runtime === undefined ? {} : { Runtime: runtime }),
      NetworkMode: `container:${handle.gateway}`,
      PidMode: `container:${handle.gateway}`,
      Memory: grant.memoryBytes,
      ...(memory.swap ? { MemorySwap: grant.memoryBytes } : {}),
      NanoCpus: grant.cpuMillicores * 1_000_000,
      PidsLimit: grant.pids,
      ShmSize: SHM_BYTES,
      Tmpfs: {
        // in the place of volumes, which have no limit
        ...Object.fromEntries(emptied.map((path) => [path, scratch(grant.diskBytes, uid)])),
        ...(disk === undefined ? { [TMP]: `rw,noexec,nosuid,nodev,${held(TMP_BYTES)},mode=1777` } : {}),
        ...(work === undefined && disk === undefined ? { [WORK]: scratch(grant.diskBytes, uid) } : {}),
      },
      Mounts: mounts,
    },
  }
}

export function beginsWhereImageSays({ codeDir, workdir }: Pick<Plan, 'codeDir' | 'workdir'>): boolean {
  return codeDir === undefined && workdir === ''
}

/** Holds a volume while code is put into it; never started. */
export function codeLoaderOptions(input: {
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
    HostConfig: { NetworkMode: 'none', Mounts: [mount(input.volume, CODE, false)] },
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

const READONLY_PATHS = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger', '/proc/pressure']

/** `profile`: which system calls its programs may make; undefined where the engine filters none. */
export function hardening(profile: string | undefined): Docker.HostConfig {
  return {
    CapDrop: ['ALL'],
    SecurityOpt: ['no-new-privileges', ...(profile === undefined ? [] : [`seccomp=${profile}`])],
    // an option that is missing in the types: the run sees no path of the machine's control groups
    ...{ CgroupnsMode: 'private' },
    ReadonlyRootfs: true,
    // the engine's own list, and the files by which a run could ask the kernel to watch the machine's load for it
    ReadonlyPaths: READONLY_PATHS,
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
  return Object.entries({ HOME: '/work', TMPDIR: TMP, LANG: 'C.UTF-8', ...plan.env })
}

export function scratch(bytes: number, uid: number): string {
  return `rw,exec,nosuid,nodev,${held(bytes)},mode=0700,uid=${uid},gid=${uid}`
}

/** What the kernel holds of a tmpfs: its bytes, and its files. */
export function held(bytes: number): string {
  return `size=${Math.max(4096, bytes)},nr_inodes=${inodesFor(bytes)}`
}

function buildMounts(disk: string): Docker.MountConfig {
  // an engine chooses the propagation of what lies in a folder of its own
  return [CODE, WORK, TMP].map((path) => ({ Type: 'bind', Source: `${disk}${path}`, Target: path, ReadOnly: false }))
}

/** Without what the image has there: it would be copied in. */
function mount(volume: string, target: string, readOnly: boolean): Docker.MountConfig[number] {
  return { Type: 'volume', Source: volume, Target: target, ReadOnly: readOnly, VolumeOptions: NO_COPY }
}

export function bind(
  source: string,
  target: string,
  readOnly: boolean,
  Propagation: 'rprivate' | 'rslave' = 'rprivate',
): Docker.MountConfig[number] {
  return { Type: 'bind', Source: source, Target: target, ReadOnly: readOnly, BindOptions: { Propagation } }
}
