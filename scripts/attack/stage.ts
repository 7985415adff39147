import type { Defence } from '../../src/network/index.ts'
import type { Attack, Seen } from './attacks.ts'
import type { Delivery } from './honest.ts'
import { startProcess } from './rpc.ts'
import { type Figures, pause } from './target.ts'
import type { Measure } from './victim.ts'

export interface Stage extends AsyncDisposable {
  play(attack: Attack, form: 'long' | 'short'): Promise<Seen>
}

const SETTLE_MS = { long: 15_000, short: 6000 }
const DELIVER_EVERY_MS = 200

/** A node, honest neighbours of it in another process, and room for attackers in processes of their own. */
export async function setStage(without: readonly Defence[]): Promise<Stage> {
  await using stack = new AsyncDisposableStack()
  const victim = stack.use(startProcess('victim'))
  const { address, code } = await victim.ask<{ address: string; code: string }>('start', { without })
  const honest = stack.use(startProcess('honest'))
  await honest.ask('start', { address })
  const parts = stack.move()

  /** The best of some looks: what is closed is collected a moment later. */
  const settled = async (before: Measure, ms: number): Promise<Measure> => {
    const end = performance.now() + ms
    for (;;) {
      const now = await victim.ask<Measure>('measure', { collect: true })
      const back = now.descriptors - before.descriptors <= 2 && now.peers <= before.peers
      const small = now.timers - before.timers <= 4 && now.rssMiB - before.rssMiB < 48
      if ((back && small) || performance.now() > end) return now
      await pause(250)
    }
  }

  return {
    async play({ act, processes, count, seconds }, form) {
      const before = await victim.ask<Measure>('measure', { collect: true })
      const ms = seconds[form] * 1000
      const attackers = Array.from({ length: processes }, () => startProcess('attacker'))
      const target = { address, code, ms, count: count[form] }
      const attacking = Promise.all(attackers.map((attacker) => attacker.ask<Figures>(act, target)))
      await pause(500)
      const [delivery, dials] = await Promise.all([
        honest.ask<Delivery>('deliver', {
          count: Math.floor((ms - 1500) / DELIVER_EVERY_MS),
          everyMs: DELIVER_EVERY_MS,
          patienceMs: 8000,
        }),
        honest.ask<number>('dial', { address, count: 20, everyMs: ms / 40 }),
      ])
      const during = await victim.ask<Measure>('measure')
      const figures = await attacking
      await Promise.all(attackers.map((attacker) => attacker[Symbol.asyncDispose]()))
      const after = await settled(before, SETTLE_MS[form])
      return { before, during, after, delivery, dials, attacker: sumOf(figures) }
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  }
}

function sumOf(figures: readonly Figures[]): Figures {
  const sum: Record<string, number> = {}
  for (const one of figures) for (const [name, value] of Object.entries(one)) sum[name] = (sum[name] ?? 0) + value
  return sum
}
