import type { Executor } from '../../execution/types.ts'
import type { Fence } from './fence.ts'

/** An executor, as one process of a node has it. A crashed one starts, stops and removes nothing. */
export function fencedExecutor(executor: Executor, fence: Fence): Executor {
  return {
    ...executor,
    async start(...parameters) {
      fence.check()
      const run = await executor.start(...parameters)
      return { ...run, stop: async (options) => (fence.isDown ? undefined : await run.stop(options)) }
    },
    async adopt(...parameters) {
      fence.check()
      const found = await executor.adopt(...parameters)
      return found.map((each) => ({
        ...each,
        run: { ...each.run, stop: async (options) => (fence.isDown ? undefined : await each.run.stop(options)) },
      }))
    },
    async remove(...parameters) {
      if (!fence.isDown) await executor.remove(...parameters)
    },
  }
}
