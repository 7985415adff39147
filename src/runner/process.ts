import { realpathSync } from 'node:fs'
import type { Socket } from 'node:net'
import { pathToFileURL } from 'node:url'
import type { Clock } from '../base/clock.ts'
import { sanitizeText } from '../base/format.ts'
import type { Log } from '../base/log.ts'
import type { RunnerConfig } from '../config/index.ts'
import { startProcess } from '../process/index.ts'
import { createBatchWriter } from './batch.ts'
import { createRunnerOutput } from './child-output.ts'
import { runnerCommand, runnerUser } from './command.ts'
import { MAX_LINE_BYTES } from './constants.ts'
import { RunnerError } from './errors.ts'
import { exitError, loadError, reportedError } from './failure.ts'
import { createLineReader, type FromProcess, type Item } from './ipc-messages.ts'
import { type Request, settle } from './request.ts'
import { createWatchdog } from './watchdog.ts'

/** One child process with the operator's module in it. */
export interface RunnerProcess extends AsyncDisposable {
  readonly pid: number
  /** requests sent and not answered, oldest first */
  readonly underWay: ReadonlyMap<number, Request>
  readonly residentBytes: number
  send(request: Request): void
  cancel(id: number): void
  /** Writes what was sent since the last call, as one line. */
  flush(): void
  /** Why it ended, once it has; undefined where it was disposed. */
  readonly ended: Promise<RunnerError | undefined>
}

export type ProcessInit = {
  readonly entry: string
  readonly dir: string
  readonly config: RunnerConfig
  readonly network: boolean
  readonly heapMb: number
  readonly residentBytes: number
  readonly timeoutMs: number
  readonly loadMs: number
  /** a request was answered: another may be sent */
  readonly onAnswer: () => void
}

/** Starts a process and resolves when the module is loaded; rejects with a RunnerError of kind `load`. */
export async function startRunnerProcess(
  components: { readonly clock: Clock; readonly log: Log },
  init: ProcessInit,
): Promise<RunnerProcess> {
  const { clock, log } = components
  const command = runnerCommand(init)
  // the process may not look at what is above its folder, and so could follow no link there
  const module = pathToFileURL(realpathSync(init.entry)).href
  const child = startProcess(
    { kind: 'runner', program: command.file, args: command.args },
    // A session of its own: Ctrl-C at a terminal is the node's business.
    { detached: true, stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe'] },
  )
  const [, , , toChild, fromChild, guard] = child.stdio as unknown as [
    unknown,
    unknown,
    unknown,
    Socket,
    Socket,
    Socket,
  ]
  const output = createRunnerOutput(components)
  const batch = createBatchWriter()
  const underWay = new Map<number, Request>()
  const ready = Promise.withResolvers<void>()
  const ended = Promise.withResolvers<RunnerError | undefined>()
  let failure: RunnerError | undefined
  let disposed = false

  const endBecause = (error: RunnerError) => {
    failure ??= error
    child.kill('SIGKILL')
  }
  const watchdog = createWatchdog(clock, {
    pid: child.pid ?? 0,
    timeoutMs: init.timeoutMs,
    residentBytes: init.residentBytes,
    busy: () => underWay.size > 0,
    onFailure: endBecause,
  })
  const loading = clock.after(init.loadMs, () => {
    endBecause(loadError(init.entry, `did not finish loading within ${init.loadMs} ms`))
  })

  const onLine = (line: string) => {
    const message = JSON.parse(line) as FromProcess
    if ('id' in message) onAnswer(message)
    else if ('ready' in message) ready.resolve()
    else if ('unusable' in message) endBecause(loadError(init.entry, message.unusable))
    else if ('fatal' in message)
      endBecause(new RunnerError('died', `the runner died of ${sanitizeText(message.fatal, 300)}`))
    else output.log(message.log.level, String(message.log.message), message.log.fields)
  }
  const onAnswer = (message: Extract<FromProcess, { id: number }>) => {
    const request = underWay.get(message.id)
    if (request === undefined) throw new RangeError('an answer without a request')
    watchdog.heartbeat()
    if ('slow' in message) {
      request.slow = true
      return
    }
    underWay.delete(message.id)
    if ('failed' in message) {
      const { kind, message: text } = message.failed
      settle(request, ({ reject }) => reject(reportedError(kind, text)))
    } else settle(request, ({ resolve }) => resolve(message.verdict))
    init.onAnswer()
  }
  const finish = (why: RunnerError | undefined) => {
    watchdog[Symbol.dispose]()
    loading.cancel()
    const reason = why === undefined ? 'was stopped while it was loading' : `ended while it was loading: ${why.message}`
    ready.reject(why?.kind === 'load' ? why : loadError(init.entry, reason))
    ended.resolve(why)
  }

  const readLines = createLineReader(MAX_LINE_BYTES, onLine)
  fromChild.setEncoding('utf8').on('data', (chunk: string) => {
    try {
      readLines(chunk)
    } catch (cause) {
      endBecause(new RunnerError('nonsense', 'the runner wrote nonsense to the node', { cause }))
    }
  })
  for (const pipe of [toChild, fromChild, guard]) {
    pipe.on('error', (error) => log.debug('the pipe to the runner broke', { error: error.message }))
  }
  output.follow(child.stdout as NonNullable<typeof child.stdout>, 'out')
  output.follow(child.stderr as NonNullable<typeof child.stderr>, 'err')
  child.on('error', (error) => finish(loadError(init.entry, `cannot be started: ${error.message}`)))
  child.on('close', (code, signal) =>
    finish(disposed ? undefined : (failure ?? exitError(code, signal, output.stderrTail))),
  )

  const write = (line: string) => {
    if (toChild.writable) toChild.write(line)
  }
  const first: Item = ['init', { module, config: init.config, timeoutMs: init.timeoutMs, user: runnerUser() }]
  write(`${JSON.stringify([first])}\n`)
  await ready.promise
  loading.cancel()

  return {
    pid: child.pid ?? 0,
    underWay,
    get residentBytes() {
      return watchdog.residentBytes
    },
    send(request) {
      if (underWay.size === 0) watchdog.heartbeat()
      underWay.set(request.id, request)
      batch.ask(request.id, request.service, request.snapshot)
    },
    cancel: (id) => batch.cancel(id),
    flush() {
      const line = batch.take()
      if (line !== undefined) write(line)
    },
    ended: ended.promise,
    async [Symbol.asyncDispose]() {
      disposed = true
      toChild.destroy()
      child.kill('SIGKILL')
      await ended.promise
    },
  }
}
