import type { RunnerConfig } from '../../config/index.ts'
import type { WarmStarts } from '../../execution/index.ts'

/** LIMITS.WARM: what is kept warm. */
export function warmStarts({ LIMITS }: RunnerConfig): Omit<WarmStarts, 'freeBytes'> {
  const { GATEWAYS, 'node.js': classes } = LIMITS.WARM
  return {
    gateways: GATEWAYS,
    classes: classes.map(({ COUNT, MEMORY, DISK, PIDS }) => {
      return { count: COUNT, memoryBytes: MEMORY, diskBytes: DISK, pids: PIDS }
    }),
  }
}
