import type { Usage } from '../messages.ts'

/** Carries out an order and answers what came of it. */
export type Conduct<Order> = (order: Order) => Promise<unknown>

/** Of this process. */
export function usage(): Usage {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage()
  return { cpuSeconds: (userCPUTime + systemCPUTime) / 1e6, peakMemoryBytes: maxRSS * 1024 }
}
