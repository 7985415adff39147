import { messageOf } from '../../src/base/errors.ts'
import { seededRng } from '../../src/base/rng.ts'
import type { ExecutorName } from '../../src/base/verdict.ts'
import { newSigner } from '../../test/fixtures/mesh/gossip-services.ts'
import { pause } from '../attack/target.ts'
import { untilIdle, wrongTasks } from './ending.ts'
import { createLedger, lossesOf } from './ledger.ts'
import { leftoversOf } from './leftovers.ts'
import { createLoad } from './load.ts'
import { type Clients, createVictim, type Life } from './victim.ts'

export type ChaosInit = {
  readonly seed: string
  readonly kills: number
  readonly executor: ExecutorName
  /** after which no node is killed any more, ms */
  readonly maxMs: number
  say?(line: string): void
}

export type ChaosReport = {
  readonly seed: string
  readonly executor: ExecutorName
  readonly kills: number
  /** those that met a node which was not ready yet */
  readonly killsInStart: number
  readonly acknowledged: { readonly services: number; readonly codes: number }
  readonly runs: number
  readonly seconds: number
  /** What is wrong, one sentence each; empty where all held. */
  readonly problems: readonly string[]
}

/**
 * A node is killed at a moment from the start of its process on: within this time, and within so many times as long as it takes to be ready on this
 * machine, so that most kills meet a node that works.
 */
const LIFE_MS = 6000
const LIFE_STARTS = 3
const ACT_PAUSE_MS = 50
/** What is left of tasks when the last kill is over. */
const IDLE_MS = 120_000
/** How long after the last start something of an earlier life may still be there. */
const ORPHAN_MS = 60_000

/** Of the program that was built. Kills a node with SIGKILL again and again while strangers hand in services, and then looks what it has kept. */
export async function runChaos({ seed, kills, executor, maxMs, say = () => {} }: ChaosInit): Promise<ChaosReport> {
  await using stack = new AsyncDisposableStack()
  const author = newSigner()
  const victim = stack.use(await createVictim(executor, author.address))
  const rng = seededRng(seed)
  const ledger = createLedger()
  const load = createLoad({ rng: seededRng(`${seed}/load`), ledger, author })
  const began = performance.now()
  const problems: string[] = []
  let [killed, killsInStart] = [0, 0]
  /** how long the last node that became ready took, ms */
  let startMs: number | undefined

  /** From a start to its SIGKILL. */
  async function live(life: Life): Promise<void> {
    const startedAt = performance.now()
    const over =
      startMs === undefined
        ? life.ready.then(() => pause(rng.int(LIFE_MS)))
        : pause(rng.int(Math.max(LIFE_MS, LIFE_STARTS * startMs)))
    let alive = true
    const act = async (clients: Clients) => {
      startMs = performance.now() - startedAt
      problems.push(...(await lossesOf(ledger, clients.operator)))
      while (alive) {
        await load.act(clients)
        await pause(ACT_PAUSE_MS)
      }
    }
    // what it was asked at its death was not acknowledged; before, it answers
    const acting = life.ready.then(act).catch((error: unknown) => {
      if (alive) problems.push(`it refused what it was asked: ${messageOf(error)}`)
    })
    const ready = life.ready.then(() => true)
    const wasReady = await Promise.race([ready, over.then(() => false)])
    await over
    alive = false
    await life.kill('SIGKILL')
    await acting
    killed++
    if (!wasReady) killsInStart++
    problems.push(...life.complaints())
  }

  while (killed < kills && performance.now() - began < maxMs && problems.length === 0) {
    await live(victim.start())
    say(`${killed} of ${kills}: ${ledger.services.size} services acknowledged`)
  }

  const last = victim.start()
  const clients = await last.ready
  const api = clients.operator
  problems.push(...(await lossesOf(ledger, api)))
  await load.stopAll(clients)
  problems.push(...(await untilIdle(api, IDLE_MS)))
  problems.push(...(await wrongTasks(ledger, api, victim.dataDir)))
  const runIds = (await api.services()).flatMap(({ run }) => (run === undefined ? [] : [run.runId]))
  await last.kill('SIGTERM')
  problems.push(...last.complaints())
  const end = performance.now() + ORPHAN_MS
  const of = { runIds, peerId: clients.peerId }
  let left = await leftoversOf(victim, executor, of)
  while (left.length > 0 && performance.now() < end) {
    await pause(1000)
    left = await leftoversOf(victim, executor, of)
  }
  problems.push(...left)
  const acknowledged = { services: ledger.services.size, codes: ledger.codes.size }
  const seconds = Math.round((performance.now() - began) / 1000)
  return { seed, executor, kills: killed, killsInStart, acknowledged, runs: runIds.length, seconds, problems }
}
