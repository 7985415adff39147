import { type Clock, deadline } from '../../../base/clock.ts'
import { messageOf, TimeoutError } from '../../../base/errors.ts'
import { formatSeconds } from '../../../base/format.ts'
import { readLine } from '../../gateway/server.ts'
import type { Run, RunnableService } from '../../types.ts'

type Check = NonNullable<RunnableService['run']['check']>

/** A status line has a reason of any length. */
const MAX_ANSWER_BYTES = 4 * 1024

/** A redirect counts as an answer, and is not followed. */
const PASSED = { from: 200, to: 399 }

/** What passes a check, as a sentence goes on after "when". */
export function checkText(check: Check): string {
  return 'http' in check
    ? `GET ${check.http.path} on its port "${check.http.port}" answers with a status from ${PASSED.from} to ${PASSED.to}`
    : `its command ${JSON.stringify(check.command)} ends with exit code 0`
}

/** Carries out `run.check` once. Answers why it failed; undefined when it passed. Rejects when the outer signal aborts. */
export async function runCheck(
  run: Run,
  { check, ports = [] }: { check: Check; ports?: RunnableService['run']['ports'] },
  { clock, timeoutMs, signal }: { clock: Clock; timeoutMs: number; signal: AbortSignal },
): Promise<string | undefined> {
  const late = new TimeoutError(`it did not answer within ${formatSeconds(timeoutMs / 1000)}`)
  using limit = deadline(clock, timeoutMs, late, signal)
  try {
    if ('http' in check) {
      const { port: name, path } = check.http
      const port = ports.find((port) => port.name === name)?.port ?? 0
      return explain(`GET ${path} on port ${port}`, await httpProblem(run, port, path, limit.signal))
    }
    const exitCode = await run.check?.(check.command, { timeoutMs, signal: limit.signal })
    return explain('its command', exitCode === 0 ? undefined : `it ended with exit code ${exitCode}`)
  } catch (error) {
    signal.throwIfAborted()
    return explain('http' in check ? `GET ${check.http.path}` : 'its command', messageOf(error))
  }
}

function explain(what: string, problem: string | undefined): string | undefined {
  return problem === undefined ? undefined : `${what}: ${problem}`
}

/** Reads the first line of the answer, of at most 4 KiB, and nothing else: a run cannot make the node read more. */
async function httpProblem(run: Run, port: number, path: string, signal: AbortSignal): Promise<string | undefined> {
  const pipe = await run.connect(port, { signal, patienceMs: 0 })
  pipe.on('error', () => {})
  const abort = () => pipe.destroy()
  signal.addEventListener('abort', abort, { once: true })
  try {
    pipe.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: thundercloud\r\nConnection: close\r\n\r\n`)
    const line = await readLine(pipe, MAX_ANSWER_BYTES)
    signal.throwIfAborted()
    const status = Number(/^HTTP\/1\.[01] (\d{3})(?: |\r?$)/.exec(line)?.[1] ?? Number.NaN)
    if (Number.isNaN(status)) return 'the answer is not HTTP'
    return status >= PASSED.from && status <= PASSED.to ? undefined : `it answered ${status}`
  } catch (error) {
    signal.throwIfAborted()
    throw error
  } finally {
    signal.removeEventListener('abort', abort)
    pipe.destroy()
  }
}
