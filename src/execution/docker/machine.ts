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
  const unenforced = ['disk: /work is memory, within the memory grant']
  if (process.getuid?.() !== 0) unenforced.push('user: all runs of this node share one')
  if (info.MemoryLimit === false) unenforced.push('memory: not limited by this engine')
  if (info.SwapLimit === false && info.CgroupVersion !== '2') unenforced.push('memory: swap is not counted')
  if (info.PidsLimit === false) unenforced.push('pids: not limited by this engine')
  if (info.CPUCfsQuota === false && info.CpuCfsQuota === false) unenforced.push('cpu: not limited by this engine')
  if (!hasSeccomp(info)) unenforced.push('system calls: not filtered by this engine')
  return unenforced
}
