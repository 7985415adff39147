import { formatBytes } from '../../../base/format.ts'
import { type Check, type CheckContext, fail, pass, skip } from '../contract.ts'
import { EXAMPLE_STRANGER, exampleService, exampleSnapshot } from '../examples.ts'
import type { OpenRunner } from '../open.ts'

/** By then the heap has the size that it keeps. */
const FIRST = 4000
const ALL = 14_000
const AT_ONCE = 128
/** About 8 KiB a service: a runner that keeps them all keeps 80 MiB; the garbage collector's variation is less than a third of that. */
const DESC_LENGTH = 4000
const MAX_GROWTH_BYTES = 32 * 1024 * 1024
/** A runner that waits for others decides fewer; what it kept of those is looked at. */
const MAX_MS = 20_000
/** The host looks at the process several times in this time. */
const SETTLE_MS = 350

export const memory: Check = {
  name: 'memory',
  demands: 'keeps nothing of what it decided: its memory stays as it is over 10,000 services',
  async run(about) {
    await using runner = await about.open()
    const until = about.time() + MAX_MS
    const first = await decideMany(about, runner, 0, FIRST, until)
    const before = await stableMemory(about, runner)
    const second = await decideMany(about, runner, FIRST, ALL, until)
    const after = await stableMemory(about, runner)
    const { died } = runner.stats()
    if (died > 0 || second.died) return fail('its process ended for want of memory or of an answer')
    if (before === 0 || first.done < FIRST || second.done < 1000) {
      return skip(`too slow or not to be watched here: ${first.done + second.done} services`)
    }
    const growth = Math.max(0, after - before)
    const sizes = `${formatBytes(before)}, and ${formatBytes(after)} after ${second.done} more services`
    return growth > MAX_GROWTH_BYTES ? fail(`it keeps what it saw: ${sizes}`) : pass(sizes)
  },
}

async function stableMemory({ wait }: CheckContext, runner: OpenRunner): Promise<number> {
  await wait(SETTLE_MS)
  return runner.stats().residentBytes
}

async function decideMany(
  { time, options }: CheckContext,
  runner: OpenRunner,
  from: number,
  to: number,
  until: number,
): Promise<{ done: number; died: boolean }> {
  const snapshot = { ...exampleSnapshot(), config: runner.config }
  let next = from
  let died = false
  const ask = async () => {
    while (next < to && time() < until && !died && options.signal?.aborted !== true) {
      await runner.ask(numbered(next++), snapshot).catch(() => {
        died = runner.stats().died > 0
      })
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, ask))
  return { done: next - from, died }
}

/** Each its own: nothing of one is found in another. */
function numbered(index: number) {
  const id = `bafyrei${index.toString(32).padStart(52, 'a')}`
  const desc = `${index} `.repeat(DESC_LENGTH).slice(0, DESC_LENGTH)
  const keywords = Array.from({ length: 32 }, (_, at) => `${index}-${at}`.padEnd(60, 'k'))
  return exampleService({ id, name: `n${index}`, author: EXAMPLE_STRANGER, desc, keywords, seq: index + 1 })
}
