import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import { type Clock, deadline } from '../../base/clock.ts'
import { TimeoutError } from '../../base/errors.ts'

/** What the sandbox may take longer than the check's own time. */
const ANSWER_MS = 1000

/**
 * Asks the shell in the sandbox to carry out the check of the plan. The run is the same user as that shell and can write what
 * it likes: an answer is one line of at most three digits, and what comes unasked is thrown away.
 */
export function createChecks({ asking, answers }: { asking: Writable; answers: Readable }, clock: Clock) {
  let underWay = false
  asking.on('error', () => {})
  answers.on('error', () => {}).resume()

  async function ask(seconds: number): Promise<string> {
    using limit = deadline(clock, seconds * 1000 + ANSWER_MS, new TimeoutError('the check does not answer'))
    asking.write(`${seconds}\n`)
    const [answer] = (await once(answers, 'data', { signal: limit.signal })) as [Buffer]
    return /^\d{1,3}\n/.exec(answer.toString('latin1', 0, 4))?.[0].trim() ?? 'no EPROTO'
  }

  return {
    /** The exit code, as text; 137 where its time was over. Undefined while a check is under way. */
    ask(seconds: number): Promise<string> | undefined {
      if (underWay) return undefined
      underWay = true
      return ask(seconds)
        .catch(() => 'no ETIMEDOUT')
        .finally(() => {
          underWay = false
        })
    },
  }
}
