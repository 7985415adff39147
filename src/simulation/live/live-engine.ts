import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { machineClock } from '../../base/clock.ts'
import type { SimEventName } from '../events.ts'
import { planOf } from '../plan/plan.ts'
import { checkSupported } from '../scenario/unsupported.ts'
import type { Engine } from '../types.ts'
import { trafficTableOf } from '../whole/traffic-table.ts'
import { playLive } from './play-live.ts'

export const DEFAULT_PROCESSES = 4

/**
 * Whole nodes in some processes of this machine, each with its own disk folder, runner and event loop, connected by TCP. Time
 * is the machine's: no seed repeats a run.
 */
export function createLiveEngine({ processes = DEFAULT_PROCESSES }: { processes?: number | undefined }): Engine {
  // times of several processes are compared
  const clock = machineClock()
  return {
    name: 'live',
    depth: 'live',
    async run(scenario, options = {}) {
      const used = Math.min(processes, scenario.nodes)
      checkSupported(scenario, 'live', undefined, used)
      const { signal, onProgress } = options
      const began = clock.monotonic()
      const dir = await mkdtemp(join(tmpdir(), 'thundercloud-live-'))
      await using _folder = { [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }) }
      const hash = createHash('sha256')
      const counts: Partial<Record<SimEventName, number>> = {}
      let events = 0
      const {
        endedMs,
        peakMemoryBytes,
        cpuSeconds,
        traffic = [],
      } = await playLive(
        { clock },
        {
          ...{ plan: planOf(scenario), processes: used, dir, signal, onProgress },
          onEvent(event) {
            hash.update(`${JSON.stringify(event)}\n`)
            events++
            counts[event.event] = (counts[event.event] ?? 0) + 1
            options.onEvent?.(event)
          },
        },
      )
      options.onTraffic?.(trafficTableOf(scenario.nodes, traffic))
      const elapsedSeconds = (clock.monotonic() - began) / 1000
      return { sha256: hash.digest('hex'), events, counts, endedMs, peakMemoryBytes, cpuSeconds, elapsedSeconds }
    },
  }
}
