import type { Executor } from '../../execution/types.ts'
import type { Fence } from './fence.ts'

/** An executor, as one process of a node has it. A crashed one starts, stops and removes nothing. */
export function fencedExecutor(executor: Executor, fence: Fence): Executor {
  return {
    ...executor,
    async start(...parameters) {
      fence.pass()
      const run = await executor.start(...parameters)
      fence.pass()
      return { ...run, stop: async (options) => (fence.survives() ? await run.stop(options) : undefined) }
    },
    async adopt(...parameters) {
      fence.pass()
      const found = await executor.adopt(...parameters)
      return found.map((each) => ({
        ...each,
        run: { ...each.run, stop: async (options) => (fence.survives() ? await each.run.stop(options) : undefined) },
      }))
    },
    async remove(...parameters) {
      if (fence.survives()) await executor.remove(...parameters)
    },
  }
}
