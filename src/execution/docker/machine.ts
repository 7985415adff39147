/** What the engine says of itself. */
export type Machine = {
  ID: string
  KernelVersion: string
  SwapLimit: boolean
  CgroupVersion?: string | undefined
  SecurityOptions?: unknown
}

export function filtersCalls({ SecurityOptions }: Pick<Machine, 'SecurityOptions'>): boolean {
  return Array.isArray(SecurityOptions) && SecurityOptions.join(' ').includes('seccomp')
}

export function weakerOf(info: Record<string, unknown>): string[] {
  const weaker = ['disk: /work is memory, within the memory grant']
  if (process.getuid?.() !== 0) weaker.push('user: all runs of this node share one')
  if (info.MemoryLimit === false) weaker.push('memory: not limited by this engine')
  if (info.SwapLimit === false && info.CgroupVersion !== '2') weaker.push('memory: swap is not counted')
  if (info.PidsLimit === false) weaker.push('pids: not limited by this engine')
  if (info.CPUCfsQuota === false && info.CpuCfsQuota === false) weaker.push('cpu: not limited by this engine')
  if (!filtersCalls(info)) weaker.push('system calls: not filtered by this engine')
  return weaker
}
