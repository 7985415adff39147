import { addAbortListener } from 'node:events'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { entryFile, entryFlags } from '../base/child-entry.ts'
import type { Clock } from '../base/clock.ts'
import { UnavailableError } from '../base/errors.ts'
import { startPiped } from '../process/index.ts'
import type { SimEvent } from './events.ts'
import { checkSupported } from './scenario/unsupported.ts'
import type { Engine, Outcome } from './types.ts'
import type { Played } from './whole/play.ts'
import { trafficTableOf } from './whole/traffic-table.ts'

/**
 * Whole nodes, as programs have them, in one process whose time and chance follow from the seed: the same scenario gives the
 * same events, byte for byte, on every machine and however busy it is. libp2p, noise, yamux and gossipsub are the real ones;
 * disks, machines, programs and the wire between the nodes are simulated.
 */
export function createSimulatedEngine({ clock }: { clock: Clock }): Engine {
  return {
    name: 'simulated',
    depth: 'libp2p',
    async run(scenario, options = {}) {
      checkSupported(scenario, 'simulated')
      const { signal } = options
      const began = clock.monotonic()
      const args = [...entryFlags(import.meta.url), '--no-warnings', entryFile(import.meta.url, './process/main')]
      const child = startPiped({ kind: 'simulation', program: process.execPath, args })
      using _kill = signal && addAbortListener(signal, () => void child.kill('SIGKILL'))
      const ended = new Promise<void>((resolve, reject) => child.once('error', reject).once('close', () => resolve()))
      // one that died early takes no scenario; its end has the reason
      child.stdin.on('error', () => {}).end(JSON.stringify(scenario))
      const errors = text(child.stderr)
      let outcome: Omit<Outcome, 'elapsedSeconds'> | undefined
      for await (const line of createInterface({ input: child.stdout })) {
        if (line.startsWith('{"outcome":')) {
          const end = JSON.parse(line) as { outcome: Outcome; traffic: Played['traffic'] }
          outcome = end.outcome
          options.onTraffic?.(trafficTableOf(scenario.nodes, end.traffic))
        } else if (!line.startsWith('{"sim":')) options.onNodeEvent?.(line)
        else options.onEvent?.((JSON.parse(line) as { sim: SimEvent }).sim)
      }
      await ended
      signal?.throwIfAborted()
      if (outcome === undefined) throw new UnavailableError(`the simulation ended early: ${(await errors).trim()}`)
      return { ...outcome, elapsedSeconds: (clock.monotonic() - began) / 1000 }
    },
  }
}
