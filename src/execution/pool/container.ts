import type Docker from 'dockerode'
import { GATEWAY_UID, HELPER_HEAP_MIB } from '../constants.ts'
import { bind, hardening } from '../docker/container-options.ts'
import { poolSeccompProfile } from '../seccomp/docker-profile.ts'
import { POOL_LABEL } from './names.ts'
import { asUser, CODES, DATA, KEPT, LOG, LOGS, POOL_ETC, POOL_ROOT, RUN, RUNS, TOOLS, tool } from './scripts.ts'
import { toolsAt } from './tools.ts'
import type { PoolSpec } from './types.ts'

/** The shim of a run: its Node takes this of the pool's memory, and so many of its processes, beside the run. */
export const SHIM_BYTES = (HELPER_HEAP_MIB + 16) * 2 ** 20
export const SHIM_THREADS = 16

/**
 * What root in a pool makes the namespaces of a run with. Its programs are the node's own: no run has a capability, or can
 * gain one.
 */
const CAPABILITIES = ['SYS_ADMIN', 'NET_ADMIN', 'SETUID', 'SETGID', 'SETPCAP']
/** A place to mount at, where nothing can be written. */
const EMPTY_OPTIONS = 'ro,noexec,nosuid,nodev,size=4k,mode=0755'
const EMPTY = [RUN, LOG, '/code', '/work', '/tmp']

export type PoolContainerInput = {
  readonly spec: PoolSpec
  readonly name: string
  readonly nodeId: string
  /** image id, never a tag */
  readonly image: string
  /** what the image sets: for runs, and nothing that begins them */
  readonly env: readonly string[]
  /** paths at which the image wishes for a volume */
  readonly volumes: readonly string[]
  readonly tools: string
  readonly dirs: {
    readonly tools: string
    readonly runs: string
    readonly logs: string
    readonly codes: readonly string[]
    /** where its data is mounted on this machine */
    readonly data?: string | undefined
  }
  readonly engine: { readonly seccomp: boolean; readonly apparmor: boolean; readonly swap: boolean }
}

/** The container of a pool: no network, a read-only root, and a first process that does nothing. Runs come into it by `exec`. */
export function poolOptions(input: PoolContainerInput): Docker.ContainerCreateOptions {
  const { spec, tools, dirs, engine } = input
  const [loader = '', ...idle] = [
    ...tool(toolsAt(tools), 'setpriv'),
    ...asUser(GATEWAY_UID),
    ...tool(toolsAt(tools), 'sleep'),
    'infinity',
  ]
  const base = hardening(engine.seccomp ? poolSeccompProfile() : undefined)
  return {
    name: input.name,
    Image: input.image,
    // an `exec` has the capabilities of the container only where its first process is root, which it does not stay
    User: '0:0',
    Entrypoint: [loader],
    Cmd: idle,
    // a name alone takes the variable away: root's loader would obey LD_PRELOAD
    Env: input.env.map((variable) => variable.split('=')[0] ?? '').filter((name) => name !== ''),
    WorkingDir: '/',
    Healthcheck: { Test: ['NONE'] },
    Labels: {
      [POOL_LABEL.node]: input.nodeId,
      [POOL_LABEL.name]: spec.name,
      [POOL_LABEL.image]: spec.image,
      [POOL_LABEL.tools]: tools,
      [POOL_LABEL.env]: JSON.stringify(input.env),
      ...(spec.dataBytes !== undefined && { [POOL_LABEL.data]: `${spec.dataBytes}` }),
    },
    HostConfig: {
      ...base,
      CapAdd: CAPABILITIES,
      // Docker's profile for AppArmor lets nobody mount
      SecurityOpt: [...(base.SecurityOpt ?? []), ...(engine.apparmor ? ['apparmor=unconfined'] : [])],
      NetworkMode: 'none',
      Memory: spec.memoryBytes,
      ...(engine.swap ? { MemorySwap: spec.memoryBytes } : {}),
      NanoCpus: spec.cpuMillicores * 1_000_000,
      PidsLimit: spec.pids,
      Tmpfs: Object.fromEntries(
        [...EMPTY, ...(dirs.data === undefined ? [] : [KEPT]), ...input.volumes].map((path) => [path, EMPTY_OPTIONS]),
      ),
      Mounts: [
        bind(dirs.tools, TOOLS, true),
        ...Object.keys(POOL_ETC).map((name) => bind(`${dirs.tools}/${tools}/etc/${name}`, `/etc/${name}`, true)),
        bind(dirs.runs, RUNS, false),
        bind(dirs.logs, LOGS, false),
        ...(dirs.data === undefined ? [] : [bind(dirs.data, DATA, false)]),
        ...dirs.codes.map((dir, index) => bind(dir, `${CODES}/${index}`, true)),
      ],
    },
  }
}

/** Where something is mounted, and the folders above: a link of the image there would lead it elsewhere. */
export function placesOf({ HostConfig }: Docker.ContainerCreateOptions): string[] {
  return ['/etc', POOL_ROOT, CODES, ...EMPTY, KEPT, ...(HostConfig?.Mounts ?? []).map(({ Target }) => Target)]
}
