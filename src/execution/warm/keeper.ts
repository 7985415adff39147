import type { Clock } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import type { Executor, WarmStarts } from '../types.ts'
import type { WantedWarm } from './types.ts'

/** Engines come and go: whether one is there is asked again after so long. */
const ASK_MS = 60_000
const NOTHING: WarmStarts = { classes: [], gateways: 0, freeBytes: () => 0 }

/** Has one executor keep what is wanted: the first that the policy prefers and that is there. Two would keep it twice. */
export function createWarmKeeper(
  { clock, log, executors }: { clock: Clock; log: Log; executors: readonly Executor[] },
  { wanted, freeBytes }: { wanted: (() => WantedWarm) | undefined; freeBytes(): number },
): (options?: { renew: boolean }) => void {
  const able = executors.filter(({ keepWarm }) => keepWarm !== undefined)
  let chosen: { executor: Executor | undefined; names: string; at: number } | undefined

  async function choose(names: readonly string[]): Promise<Executor | undefined> {
    const at = clock.monotonic()
    if (chosen?.names === names.join() && at - chosen.at < ASK_MS) return chosen.executor
    let executor: Executor | undefined
    for (const name of names) {
      const one = able.find((other) => other.name === name)
      if (one === undefined || !(await one.available()).available) continue
      executor = one
      break
    }
    chosen = { executor, names: names.join(), at }
    return executor
  }

  async function keep(want: WantedWarm, options: { renew: boolean } | undefined): Promise<void> {
    const { executors: names, ...rest } = want
    const isNothing = rest.gateways === 0 && rest.classes.length === 0
    const executor = isNothing ? undefined : await choose(names)
    await Promise.all(able.map((other) => (other === executor ? undefined : other.keepWarm?.(NOTHING))))
    await executor?.keepWarm?.({ ...rest, freeBytes }, options)
  }

  return (options) => {
    if (wanted === undefined) return
    keep(wanted(), options).catch((error: unknown) => {
      log.warn('nothing is kept warm', { reason: messageOf(error) })
    })
  }
}
