import type { Availability } from '../types.ts'
import { describeEngine } from './address.ts'
import { type Engine, refusalOf } from './engine.ts'
import type { DockerConfig } from './types.ts'

/** What the engine says of itself. */
export type EngineInfo = {
  ID: string
  KernelVersion: string
  Architecture: string
  SwapLimit: boolean
  CgroupVersion?: string | undefined
  SecurityOptions?: unknown
}

export function hasSeccomp({ SecurityOptions }: Pick<EngineInfo, 'SecurityOptions'>): boolean {
  return Array.isArray(SecurityOptions) && SecurityOptions.join(' ').includes('seccomp')
}

export function unenforcedLimitsOf(info: Record<string, unknown>): string[] {
  const unenforced = ['disk: no disk of its own, since /work lies in memory and counts as memory']
  // each layer is a copy of all below it
  if (info.Driver === 'vfs') unenforced.push('disk: an image takes its size again for each of its layers (vfs)')
  if (process.getuid?.() !== 0) unenforced.push('user: all runs of this node share one')
  if (info.MemoryLimit === false) unenforced.push('memory: not limited by this engine')
  if (info.SwapLimit === false && info.CgroupVersion !== '2') unenforced.push('memory: swap is not counted')
  if (info.PidsLimit === false) unenforced.push('pids: not limited by this engine')
  if (info.CPUCfsQuota === false && info.CpuCfsQuota === false) unenforced.push('cpu: not limited by this engine')
  if (!hasSeccomp(info)) unenforced.push('system calls: not filtered by this engine')
  return unenforced
}

/** runc 1.1.12 */
const SAFE_RUNC = [1, 1, 12] as const

/** About a runc with a known hole, where the engine says which one it has. */
export function runtimeAdvice({ Components }: { Components?: readonly { Name: string; Version: string }[] | null }) {
  const version = Components?.find(({ Name }) => Name === 'runc')?.Version ?? ''
  const parts = /^v?(\d+)\.(\d+)\.(\d+)/.exec(version)?.slice(1).map(Number)
  const differs = parts?.findIndex((part, index) => part !== SAFE_RUNC[index]) ?? -1
  if (parts === undefined || differs < 0 || (parts[differs] ?? 0) > (SAFE_RUNC[differs] ?? 0)) return undefined
  return `its runc ${version.slice(0, 40)} is older than 1.1.12: update it, unless its package has the fix of CVE-2024-21626 (Debian 12: 1.1.5+ds1-1+deb12u1)`
}

/** Asked each time: an engine comes and goes. */
export async function availabilityOf({ ask }: Pick<Engine, 'ask'>, config: DockerConfig): Promise<Availability> {
  try {
    const [info, version] = await Promise.all([
      ask((docker) => docker.info()),
      ask((docker) => docker.version()).catch(() => undefined),
    ])
    return {
      available: true,
      detail: `Docker ${info.ServerVersion} at ${describeEngine(config)}`,
      unenforcedLimits: unenforcedLimitsOf(info),
      networks: ['allowlist', 'open'],
      advice: version && runtimeAdvice(version),
    }
  } catch (error) {
    return { available: false, detail: refusalOf(error, config), unenforcedLimits: [] }
  }
}
