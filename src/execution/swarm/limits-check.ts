import type Docker from 'dockerode'
import { GATEWAY_MEMORY_BYTES, GATEWAY_PIDS } from '../constants.ts'
import type { DockerHandle } from '../docker/container-options.ts'
import type { Plan } from '../types.ts'

type Container = Pick<Docker.ContainerInspectInfo, 'Id' | 'Config' | 'HostConfig'>
type Options = Docker.HostConfig & { readonly CgroupParent?: string; readonly PidMode?: string }

/**
 * What a machine has not taken of what its containers were made with, by name. An engine accepts options that it does not know,
 * and says nothing; the node cannot look at each machine before.
 */
export function missingLimits(
  plan: Pick<Plan, 'grant'>,
  handle: Pick<DockerHandle, 'gateway'>,
  { run, gateway, cgroupParent }: { run: Container; gateway: Container; cgroupParent: string | undefined },
): string[] {
  const { memoryBytes, cpuMillicores, pids } = plan.grant
  const joined = (mode: string | undefined) =>
    mode === `container:${gateway.Id}` || mode === `container:${handle.gateway}`
  const options = run.HostConfig as Options
  const own: [string, boolean][] = [
    ['memory', options.Memory === memoryBytes],
    ['swap', options.MemorySwap === memoryBytes],
    ['cpu', options.NanoCpus === cpuMillicores * 1_000_000],
    ['pids', options.PidsLimit === pids],
    ['network', joined(options.NetworkMode) && gateway.HostConfig.NetworkMode === 'none'],
    ['time', joined(options.PidMode)],
    ['disk', isBounded(options)],
    ['user', /^[1-9]\d*:[1-9]\d*$/.test(run.Config.User)],
    ["gateway's memory", gateway.HostConfig.Memory === GATEWAY_MEMORY_BYTES],
    ["gateway's pids", gateway.HostConfig.PidsLimit === GATEWAY_PIDS],
  ]
  const both = [options, gateway.HostConfig as Options].flatMap((each) => hardeningOf(each, cgroupParent))
  return [...new Set([...own, ...both].flatMap(([name, held]) => (held ? [] : [name])))]
}

function hardeningOf(options: Options, cgroupParent: string | undefined): [string, boolean][] {
  const security: readonly string[] = options.SecurityOpt ?? []
  return [
    ['capabilities', options.CapDrop?.includes('ALL') === true && !options.Privileged && !options.CapAdd?.length],
    ['privileges', security.includes('no-new-privileges')],
    ['system calls', security.some((option) => option.startsWith('seccomp={'))],
    ['read-only root', options.ReadonlyRootfs === true],
    ['open files', options.Ulimits?.some(({ Name }) => Name === 'nofile') === true],
    ['IPC', options.IpcMode === 'private'],
    ['control group', cgroupParent === undefined || options.CgroupParent === cgroupParent],
  ]
}

/** /tmp and /work, or the file system of its gateway. */
function isBounded({ Tmpfs, Mounts }: Options): boolean {
  const isSized = (path: string) => /(^|,)size=\d+/.test(Tmpfs?.[path] ?? '')
  const isMounted = (path: string) => Mounts?.some(({ Target }) => Target === path) === true
  return ['/tmp', '/work'].every((path) => isSized(path) || isMounted(path))
}
