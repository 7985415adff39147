import type { Clock } from '../../base/clock.ts'
import type { Runner, ServiceFacts } from '../contract.ts'
import type { Item, SharedFacts } from '../ipc-messages.ts'
import { createContext, createRunnerLog, frozen } from './context.ts'
import { describe } from './describe.ts'
import type { LegacyGlobals } from './legacy-globals.ts'
import { send, sendLine } from './pipe.ts'

/** A promise that settles without waiting for anything does so within this many turns of the microtask queue. */
const TURNS = 8

type Pending = { readonly abort: (reason: Error) => void; settled: boolean }
type Question = {
  readonly id: number
  readonly service: unknown
  readonly config: unknown
  readonly shared: SharedFacts
  readonly facts: ServiceFacts
}

/**
 * Asks the runner, one request after the other, in the order in which they came. Only a request whose promise really
 * waits lets the next one begin before it is answered, and the host is notified.
 */
export function createServer(init: {
  runner: Runner
  legacyGlobals: LegacyGlobals | undefined
  timeoutMs: number
  clock: Clock
}) {
  const { runner, legacyGlobals, clock } = init
  const log = createRunnerLog()
  const configs: unknown[] = []
  const shared: SharedFacts[] = []
  const queue: Question[] = []
  const pending = new Map<number, Pending>()
  let working = false

  const settle = (id: number, pend: Pending, write: () => void) => {
    if (pend.settled) return
    pend.settled = true
    pending.delete(id)
    write()
  }
  const fail = (id: number, kind: 'threw' | 'timeout', message: string) => send({ id, failed: { kind, message } })

  const ask = (question: Question): Pending => {
    const { id, config } = question
    const { context, abort } = createContext(config, question.shared, question.facts, log)
    const pend: Pending = { abort, settled: false }
    try {
      const call = () => runner(question.service as never, context)
      const result = legacyGlobals === undefined ? call() : legacyGlobals.within(config, call)
      if (!isThenable(result)) {
        settle(id, pend, () => answer(id, result))
        return pend
      }
      pending.set(id, pend)
      // A thenable of the module's own may call back twice, throw, or hand on another one; a promise does none of it.
      const promise = result instanceof Promise ? result : Promise.resolve(result)
      promise.then(
        (verdict) => settle(id, pend, () => answer(id, verdict)),
        (error) => settle(id, pend, () => fail(id, 'threw', describe(error))),
      )
    } catch (error) {
      settle(id, pend, () => fail(id, 'threw', describe(error)))
    }
    return pend
  }

  const limit = (id: number, pend: Pending) => {
    send({ id, slow: true })
    clock.after(init.timeoutMs, () => {
      settle(id, pend, () => fail(id, 'timeout', `no answer within ${init.timeoutMs} ms`))
      pend.abort(new Error('the time for this decision is up'))
    })
  }

  const work = async () => {
    working = true
    for (let question = queue.shift(); question !== undefined; question = queue.shift()) {
      const pend = ask(question)
      for (let turn = 0; turn < TURNS && !pend.settled; turn++) await Promise.resolve()
      if (!pend.settled) limit(question.id, pend)
    }
    working = false
  }

  return {
    take(items: readonly Item[]): void {
      for (const item of items) {
        if (item[0] === 'config') configs[item[1]] = frozen(item[2])
        else if (item[0] === 'facts') shared[item[1]] = frozen(item[2])
        else if (item[0] === 'cancel') {
          const index = queue.findIndex(({ id }) => id === item[1])
          if (index >= 0) {
            queue.splice(index, 1)
            fail(item[1], 'timeout', 'called off')
          }
          pending.get(item[1])?.abort(new Error('this decision is not awaited any more'))
        } else if (item[0] === 'ask') {
          const [, id, configSlot, factsSlot, facts, service] = item
          queue.push({ id, service, config: configs[configSlot], shared: shared[factsSlot] as SharedFacts, facts })
        }
      }
      if (!working) void work()
    },
  }
}

function answer(id: number, verdict: unknown): void {
  try {
    const json = verdict === undefined ? 'null' : JSON.stringify(verdict)
    if (json === undefined) throw new TypeError(`it is a ${typeof verdict}`)
    sendLine(`{"id":${id},"verdict":${json}}`)
  } catch (error) {
    send({ id, failed: { kind: 'nonsense', message: `not JSON: ${describe(error)}` } })
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}
