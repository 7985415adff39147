import { type Clock, deadline, sleep } from '../base/clock.ts'
import { errnoOf, InputError, messageOf, systemMessageOf, TimeoutError, UnavailableError } from '../base/errors.ts'
import { formatMs, sanitizeText } from '../base/format.ts'
import { type ChildProcess, findProgram, killGroup, startProcess } from '../process/index.ts'
import type { SendNotice } from './types.ts'

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
/** The user of nothing. */
const NOBODY = 65_534
/** Of what it says before it fails. */
const MAX_STDERR = 2048
/** Its last words arrive after its end; a process that it left behind may hold the pipe open for ever. */
const LAST_WORDS_MS = 200

type Command = { readonly argv: readonly string[]; readonly timeoutMs: number; readonly home?: string | undefined }

/** Starts the operator's program, without a shell, with the notice on its standard input. Its whole group ends with it. */
export function sendByCommand(clock: Clock, { argv, timeoutMs, home }: Command): SendNotice {
  /** The process group of the program that failed last: of it, what is set-uid may live on, as it may not be killed. */
  let left: number | undefined
  return async (notice, { signal }) => {
    if (left !== undefined && isLeft(left)) {
      throw new InputError(
        `the program of an earlier notice still runs, and the node may not kill it: kill -- -${left}`,
      )
    }
    left = undefined
    using limit = deadline(clock, timeoutMs, new TimeoutError(`it did not end within ${formatMs(timeoutMs)}`), signal)
    const [program, ...args] = commandOf(argv)
    const child = startProcess(
      { kind: 'alert', program, args, env: { PATH, LANG: 'C.UTF-8', HOME: home } },
      { stdio: ['pipe', 'ignore', 'pipe'], detached: true },
    )
    let said = ''
    child.stderr?.on('data', (piece: Buffer) => {
      if (said.length < MAX_STDERR) said += piece.toString().slice(0, MAX_STDERR - said.length)
    })
    // it need not read it
    child.stdin?.on('error', () => {}).end(`${JSON.stringify(notice)}\n`)
    const failure = await failureOf(async () => {
      const end = await ended(child, limit.signal)
      if (end === 0) return
      await sleep(clock, LAST_WORDS_MS)
      const words = sanitizeText(said.trim().split('\n').at(-1) ?? '', 200)
      throw new UnavailableError(
        `it ended with ${typeof end === 'number' ? `exit code ${end}` : end}${words === '' ? '' : `: ${words}`}`,
      )
    })
    const unkilled = await failureOf(() => killGroup(child))
    child.stdin?.destroy()
    child.stderr?.destroy()
    // what cannot be ended does not hold the node up
    if (unkilled !== undefined) child.unref()
    if (failure === undefined) return
    left = child.pid
    if (unkilled === undefined) throw failure.error
    // another attempt would leave another one behind
    throw new InputError(`${messageOf(failure.error)}; it could not be killed: ${systemMessageOf(unkilled.error)}`)
  }
}

async function failureOf(work: () => void | Promise<void>): Promise<{ readonly error: unknown } | undefined> {
  try {
    await work()
    return undefined
  } catch (error) {
    return { error }
  }
}

/** Are all that are left of the group another user's? */
function isLeft(group: number): boolean {
  try {
    process.kill(-group, 0)
    return false
  } catch (error) {
    return errnoOf(error) === 'EPERM'
  }
}

/** A notice has words of strangers, and many scripts put them into a shell: what reads it is not root. */
function commandOf([program = '', ...args]: readonly string[]): [string, ...string[]] {
  if (findProgram(program) === undefined) throw new InputError(`${program} is not an executable file`)
  if (process.getuid?.() !== 0) return [program, ...args]
  const setpriv = findProgram('setpriv')
  if (setpriv === undefined)
    throw new InputError('setpriv is missing, which takes root from the command: install util-linux')
  const nobody = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', '--inh-caps=-all', '--no-new-privs']
  return [setpriv, ...nobody, '--', program, ...args]
}

function ended(child: ChildProcess, signal: AbortSignal): Promise<number | string> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    if (signal.aborted) abort()
    child.once('error', (error) => reject(new UnavailableError(messageOf(error))))
    child.once('exit', (code, killedBy) => {
      signal.removeEventListener('abort', abort)
      resolve(code ?? String(killedBy))
    })
  })
}
