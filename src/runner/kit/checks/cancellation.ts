import { type Check, fail, pass } from '../contract.ts'
import { exampleService, exampleSnapshot } from '../examples.ts'

const AT_ONCE = 8
/** A decision that waits for something has begun to by then. */
const LET_IT_BEGIN_MS = 20
const LOOK_EVERY_MS = 10
/** What listens to its signal ends within a turn of the event loop; the rest is for a busy machine. */
const MAX_MS = 700

export const cancellation: Check = {
  name: 'cancellation',
  demands: 'stops working when its signal aborts, and answers the next one',
  async run({ runner, accepts, wait, time }) {
    const { service, snapshot } = accepts ?? {
      service: exampleService(),
      snapshot: { ...exampleSnapshot(), config: runner.config },
    }
    const controller = new AbortController()
    const asked = Array.from({ length: AT_ONCE }, () =>
      runner.ask(service, snapshot, { signal: controller.signal }).catch(() => undefined),
    )
    await wait(LET_IT_BEGIN_MS)
    const { died } = runner.stats()
    controller.abort(new Error('called off'))
    await Promise.all(asked)
    const from = time()
    while (runner.stats().underWay > 0 && time() - from < MAX_MS) await wait(LOOK_EVERY_MS)
    if (runner.stats().underWay > 0) {
      return fail(
        `still at work ${MAX_MS} ms after its signal aborted; hand node.signal to what waits, like fetch(url, { signal })`,
      )
    }
    const next = await runner.ask(service, snapshot).catch((error: Error) => error)
    if (next instanceof Error) return fail(`the next one after that: ${next.message}`)
    if (runner.stats().died > died) return fail('its process ended')
    return pass(`ended ${Math.round(time() - from)} ms after`)
  },
}
