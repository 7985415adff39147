import { UnavailableError } from '../../base/errors.ts'
import { EngineGoneError } from '../errors.ts'
import { OUTPUTS_GONE } from '../outputs.ts'
import type { Run, RunEnd } from '../types.ts'
import type { SwarmHandle } from './types.ts'

/** What the swarm has ended, or given up, so that nobody knows its exit code. */
export function lostEnd(reason: string): RunEnd {
  return { exitCode: 137, reason: 'exit', detail: `the swarm ended it: ${reason || 'its launcher is gone'}` }
}

type SwarmRunInput = {
  readonly handle: SwarmHandle
  readonly startedAt: number
  /** The run in its machine's engine. Throws an UnavailableError while that cannot be reached. */
  inner(): Promise<Run>
  /** Why the swarm has its task no more; undefined while it should be there. */
  over(): Promise<string | undefined>
}

/** A run in the engine of the machine where its task is. */
export function swarmRun({ handle, startedAt, inner, over }: SwarmRunInput): Run {
  return {
    handle,
    startedAt,
    async wait(options) {
      try {
        return await (await inner()).wait(options)
      } catch (error) {
        options?.signal?.throwIfAborted()
        const why = await over()
        if (why !== undefined) return lostEnd(why)
        // the engine knows it no more, or its connection was lost: the next look decides
        if (error instanceof UnavailableError) throw error
        throw new EngineGoneError('the machine of the swarm does not answer for the run', { cause: error })
      }
    },
    stop: async (options) => (await inner()).stop(options),
    stats: async (options) => (await inner()).stats(options),
    connect: async (port, options) => (await inner()).connect(port, options),
    async check(command, options) {
      const run = await inner()
      if (run.check === undefined) throw new UnavailableError('the run has ended')
      return run.check(command, options)
    },
    async serveEgress(egress, options) {
      const run = await inner()
      if (run.serveEgress === undefined) throw new UnavailableError('the run has ended')
      return run.serveEgress(egress, options)
    },
    async outputs(paths, options) {
      try {
        return (await (await inner()).outputs?.(paths, options)) ?? { problem: OUTPUTS_GONE }
      } catch (error) {
        options?.signal?.throwIfAborted()
        if ((await over()) !== undefined) return { problem: OUTPUTS_GONE }
        throw error
      }
    },
  }
}
