import { LISTED_EXECUTORS } from '../../base/verdict.ts'
import { executorOfList, type RunnerConfig } from '../../config/index.ts'
import type { WantedWarm } from '../../execution/index.ts'

/** LIMITS.WARM: what is kept warm, and where, by PREFER_TOOLCHAIN. */
export function warmStarts(config: RunnerConfig): WantedWarm {
  const { LIMITS, PREFER_TOOLCHAIN } = config
  const { GATEWAYS, 'node.js': classes } = LIMITS.WARM
  const runs = (list: readonly string[]) => (classes.length > 0 ? list.includes('node.js') : list.length > 0)
  return {
    // where its runs begin: one that only manages a swarm has none
    executors: LISTED_EXECUTORS.filter((name) => runs(PREFER_TOOLCHAIN[name])).map((name) =>
      executorOfList(name, config),
    ),
    gateways: GATEWAYS,
    classes: classes.map(({ COUNT, MEMORY, DISK, PIDS }) => {
      return { count: COUNT, memoryBytes: MEMORY, diskBytes: DISK, pids: PIDS }
    }),
  }
}
