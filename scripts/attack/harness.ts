import type { Defence } from '../../src/network/index.ts'
import { type Attack, type Observation, RSS_MIB, TRIES } from './attacks.ts'
import type { Delivery } from './honest.ts'
import { type Remote, startProcess } from './rpc.ts'
import { type Figures, pause, type Target } from './target.ts'
import type { Measure, Started } from './tested-node.ts'

export type Form = 'long' | 'short'

export interface AttackHarness extends AsyncDisposable {
  /** Runs attacks at once; of each what was seen, what was measured being the same for all. */
  run(attacks: readonly Attack[], form: Form): Promise<readonly Observation[]>
}

const SETTLE_MS = { long: 15_000, short: 6000 }
const DELIVER_EVERY_MS = 200
const ATTACKERS = 2
const FIRST_ROUND = { ms: 3000, acts: { vanish: 3, silenceFromSixteen: 1000, longFrames: 4 } }

/** A node, honest neighbours of it in another process, and attackers in processes of their own. */
export async function startHarness(without: readonly Defence[]): Promise<AttackHarness> {
  await using stack = new AsyncDisposableStack()
  const attackers = Array.from({ length: ATTACKERS }, () => stack.use(startProcess('attacker')))
  const honest = stack.use(startProcess('honest'))
  const testedNode = stack.use(startProcess('tested-node'))
  const target = await testedNode.ask<Started>('start', { without })
  await honest.ask('start', target)
  await warmUp(attackers, target)
  const parts = stack.move()

  /** The best of some looks: what is closed is collected a moment later. */
  const measureAfter = async (before: Measure, ms: number): Promise<Measure> => {
    const end = performance.now() + ms
    let best: Measure | undefined
    for (;;) {
      const now = await testedNode.ask<Measure>('measure', { collect: true })
      // at the moment of one look the node may be asking its engine; what an attack has left is there at each
      if (best === undefined || now.descriptors <= best.descriptors) best = now
      const back = now.descriptors - before.descriptors <= 2 && now.peers <= before.peers
      const small = now.timers - before.timers <= 4 && now.liveMiB - before.liveMiB < 4
      const flat = now.rssMiB - before.rssMiB < RSS_MIB
      if ((back && small && flat && now.files <= before.files) || performance.now() > end) return best
      await pause(250)
    }
  }

  return {
    async run(attacks, form) {
      const ms = Math.max(...attacks.map(({ seconds }) => seconds[form])) * 1000
      const attack = async ({ act, processes, count }: Attack) => {
        const init = { ...target, ms, count: count[form] }
        const figures = attackers.slice(0, processes).map((attacker) => attacker.ask<Figures>(act, init))
        return sumOf(await Promise.all(figures))
      }
      const first = form === 'long' ? attacks.filter(({ warmsUp }) => warmsUp === true) : []
      const cold = await testedNode.ask<Measure>('measure', { collect: true })
      await Promise.all(first.map(attack))
      const before = first.length === 0 ? cold : await measureAfter(cold, SETTLE_MS[form])
      const attacking = Promise.all(attacks.map(attack))
      // a failure is seen when all else is over
      attacking.catch(() => {})
      await pause(500)
      const tries = attacks.some(({ tries }) => tries === 'call') ? 'call' : 'dial'
      const [delivery, dials] = await Promise.all([
        honest.ask<Delivery>('deliver', {
          count: Math.floor((ms - 1500) / DELIVER_EVERY_MS),
          everyMs: DELIVER_EVERY_MS,
          patienceMs: 8000,
        }),
        honest.ask<number>(tries, { ...target, count: TRIES, everyMs: ms / (2 * TRIES) }),
      ])
      const during = await testedNode.ask<Measure>('measure')
      const figures = await attacking
      const after = await measureAfter(before, SETTLE_MS[form])
      return figures.map((attacker) => ({ before, during, after, delivery, dials, attacker }))
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  }
}

/** The first time costs what no later time does: code that is compiled, and memory that V8 and the C library keep. */
async function warmUp(attackers: readonly Remote[], target: Omit<Target, 'ms' | 'count'>): Promise<void> {
  const acts = Object.entries(FIRST_ROUND.acts)
  await Promise.all(
    acts.map(([act, count], at) => attackers[at % ATTACKERS]?.ask(act, { ...target, ms: FIRST_ROUND.ms, count })),
  )
}

/** Those that are played together, in the order of the list. */
export function roundsOf(attacks: readonly Attack[], form: Form): Attack[][] {
  const rounds: Attack[][] = []
  for (const attack of attacks) {
    const last = rounds.at(-1)
    const joins = form === 'short' && attack.together !== undefined && last?.[0]?.together === attack.together
    if (joins) last?.push(attack)
    else rounds.push([attack])
  }
  return rounds
}

function sumOf(figures: readonly Figures[]): Figures {
  const sum: Record<string, number> = {}
  for (const one of figures) for (const [name, value] of Object.entries(one)) sum[name] = (sum[name] ?? 0) + value
  return sum
}
