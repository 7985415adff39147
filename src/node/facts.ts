import type { Clock } from '../base/clock.ts'
import { messageOf } from '../base/errors.ts'
import type { ExecutorName } from '../base/verdict.ts'
import type { Policy } from '../config/index.ts'
import type { Availability, Executor } from '../execution/index.ts'
import type { AvailableExecutor, NodeFacts, RunningService } from '../runner/index.ts'
import type { AddressTexts } from './address-text.ts'
import type { ServiceEntry, Services } from './services.ts'

/** An engine that was installed or went away is noticed in this time; a run finds out at once. */
const LOOK_EVERY_MS = 30_000

/** What is free, as the supervisor counts it: the limits less what its runs were granted. */
export type Free = {
  readonly memoryBytes: number
  readonly cpuMillicores: number
  readonly diskBytes: number
  readonly pids: number
  readonly runs: number
}

export type ExecutorView = Availability & { readonly name: ExecutorName }

export interface FactsComponents {
  clock: Clock
  executors: readonly Executor[]
  services: Services
  texts: AddressTexts
  free(): Free
  running(): readonly string[]
}

/** What is true of the node whatever the service: the half of the runner's snapshot that all decisions share. */
export interface Facts extends Disposable {
  current(): NodeFacts
  executors(): readonly ExecutorView[]
  /** Looks which executors are there now. */
  look(): Promise<void>
}

export function createFacts(components: FactsComponents, init: { own: string; policy(): Policy }): Facts {
  let seen: readonly ExecutorView[] = []

  async function look(): Promise<void> {
    seen = await Promise.all(
      components.executors.map(async (executor) => {
        const found = await executor
          .available()
          .catch((error: unknown) => ({ available: false, detail: messageOf(error), weaker: [] }))
        return { name: executor.name, ...found }
      }),
    )
  }

  const timer = components.clock.every(LOOK_EVERY_MS, () => void look())
  return {
    look,
    executors: () => seen,
    current: () => ({
      config: init.policy().config,
      own: init.own,
      capacity: { ...components.free(), executors: seen.filter(({ available }) => available).map(forRunner) },
      running: components.running().flatMap((id) => {
        const entry = components.services.get(id)
        if (entry === undefined) return []
        return [runningOf(entry, components.texts)]
      }),
    }),
    [Symbol.dispose]: () => timer.cancel(),
  }
}

export function forRunner({ name, detail, weaker, ownOnly }: ExecutorView): AvailableExecutor {
  return { name, ownOnly, note: weaker.length === 0 ? detail : `${detail} (${weaker.join('; ')})` }
}

function runningOf({ id, record, verdict }: ServiceEntry, texts: AddressTexts): RunningService {
  const { run, rank } = verdict?.verdict ?? {}
  const grant = run === false ? undefined : run
  return {
    id,
    author: texts.ofBytes(record.author),
    name: record.name,
    rank: rank ?? 0,
    own: record.own,
    memory: grant?.memoryBytes ?? 0,
    cpu: grant?.cpuMillicores ?? 0,
    disk: grant?.diskBytes ?? 0,
    pids: grant?.pids ?? 0,
  }
}
