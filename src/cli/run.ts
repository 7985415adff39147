import { CommanderError } from 'commander'
import type { LogLevel } from '../base/log.ts'
import type { Cli } from './cli.ts'
import type { CommandEntry } from './command.ts'
import { buildProgram } from './commander-program.ts'
import { resolveContext } from './contexts/resolve.ts'
import { describeError, EXIT, exitCodeOf, InterruptedError } from './errors.ts'
import { promptYesNo, type Terminal } from './output/confirm.ts'
import { createCliLog } from './output/log.ts'
import { createOutput } from './output/output.ts'
import { promptSecret } from './output/prompt-secret.ts'
import type { Sink } from './output/sink.ts'
import { watchKeys } from './output/watch-keys.ts'
import { parseArgs } from './parse.ts'
import { keepAlive } from './wait-for-exit.ts'

/** The program's outside. */
export interface RunInit
  extends Pick<
    Cli,
    'argv' | 'env' | 'cwd' | 'clock' | 'rng' | 'signal' | 'factories' | 'self' | 'version' | 'onReload'
  > {
  readonly commands: readonly CommandEntry[]
  /** where a person answers, if one is there */
  readonly stdin?: Terminal | undefined
  readonly stdout: Sink
  readonly stderr: Sink
  endOnHangup(): void
}

/** Runs one command line; returns the exit code. Never rejects. */
export async function runCli(init: RunInit): Promise<number> {
  const { argv, stdout, stderr, clock, signal } = init
  // also for what is wrong in the command line itself
  const json = argv.includes('--json')
  const out = createOutput({ stdout, stderr, json, clock })
  using _alive = keepAlive()
  try {
    const help = (text: string) => void stdout.write(text)
    const parsed = await parseArgs(argv, { commands: init.commands, version: init.version, help })
    const { command, input } = parsed
    const own = command.name.startsWith('context ')
    const globals = own
      ? parsed.globals
      : await resolveContext(parsed.globals, { ...init, namesFolder: input.dir !== undefined })
    const log = (fallback: LogLevel) => createCliLog({ level: globals.logLevel ?? fallback, stderr, json })
    const confirm = (question: string) => promptYesNo(question, { ...init, json })
    const askSecret = (question: string) => promptSecret(question, { ...init, json })
    const onKey = (listener: (key: string) => void) => watchKeys(listener, json ? {} : init)
    const loadProgram = async () => {
      const all = await Promise.all(init.commands.map(({ load }) => load()))
      return buildProgram(all, { version: init.version, help, called: () => {} }).root
    }
    if (command.reloads !== true) init.endOnHangup()
    await command.run({ ...init, out, globals, log, confirm, askSecret, onKey, loadProgram }, input)
    // an interrupted handler throws; one that a signal ends as intended has succeeded
    return EXIT.ok
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok
    const cause: unknown = signal.aborted ? signal.reason : error
    if (isWorthShowing(cause, json)) out.error(describeError(cause))
    return exitCodeOf(cause)
  }
}

/** After help without a command, and after Ctrl-C, no further message is needed. */
function isWorthShowing(error: unknown, json: boolean): boolean {
  if (error instanceof CommanderError) return error.code !== 'commander.help'
  return json || !(error instanceof InterruptedError)
}
