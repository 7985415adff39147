import { stat } from 'node:fs/promises'
import type { Timer } from '../base/clock.ts'
import { errnoOf, messageOf, UnavailableError } from '../base/errors.ts'
import type { RunnerConfig } from '../config/index.ts'
import { watchCode } from './code-watcher.ts'
import { confinesNetwork } from './command.ts'
import * as defaults from './constants.ts'
import { createDispatcher, runnerUnavailable } from './dispatcher.ts'
import { RunnerError } from './errors.ts'
import { loadError, overreachError } from './failure.ts'
import { grantError } from './grant-limits.ts'
import { type RunnerProcess, startRunnerProcess } from './process.ts'
import { settle } from './request.ts'
import { canWatchMemory } from './resident-memory.ts'
import type { RunnerHost, RunnerHostComponents, RunnerHostInit, RunnerLocation } from './types.ts'
import { readVerdict } from './verdict-schema.ts'

export function createRunnerHost(components: RunnerHostComponents, init: RunnerHostInit): RunnerHost {
  const { clock, log, events } = components
  const limits = {
    heapMb: init.limits?.heapMb ?? defaults.HEAP_MB,
    residentBytes: init.limits?.residentBytes ?? defaults.RESIDENT_BYTES,
    timeoutMs: init.limits?.timeoutMs ?? defaults.DECIDE_TIMEOUT_MS,
    loadMs: init.limits?.loadMs ?? defaults.LOAD_TIMEOUT_MS,
  }
  const dispatcher = createDispatcher(clock)
  const processes = new Set<RunnerProcess>()
  const closing = new AbortController()
  const counts = { decided: 0, failed: 0, died: 0, swapped: 0 }
  let restarting: Timer | undefined
  let expiring: Timer | undefined
  let config = init.config
  let place: RunnerLocation = init
  let watching: Disposable | undefined
  let current: RunnerProcess | undefined
  let lastStart: Promise<unknown> = Promise.resolve()
  let lastFailure = new RunnerError('died', 'it has not been started')
  let deathsInARow = 0
  let goneSince = 0
  let starting = 0

  const startProcess = async (
    newConfig: RunnerConfig,
    onlyIfGone: boolean,
    { entry, dir, network }: RunnerLocation,
  ) => {
    if (onlyIfGone && current !== undefined) return
    const from = clock.monotonic()
    const problem = await problemOfEntry(entry)
    if (problem !== undefined) throw loadError(entry, `${problem}; RUNNER in services.json names it`)
    closing.signal.throwIfAborted()
    const process = await startRunnerProcess(components, {
      entry,
      dir,
      config: newConfig,
      network,
      ...limits,
      onAnswer: () => onAnswer(process),
    })
    processes.add(process)
    void process.ended.then((error) => onEnded(process, error))
    if (closing.signal.aborted) return process[Symbol.asyncDispose]()
    const old = current
    current = process
    config = newConfig
    const moved = place.dir !== dir
    place = { entry, dir, network }
    if (moved) watchFolder()
    dispatcher.attach(process)
    if (old !== undefined) {
      counts.swapped++
      if (old.underWay.size === 0) void old[Symbol.asyncDispose]()
    }
    const loadMs = Math.round(clock.monotonic() - from)
    events.emit('runner:loaded', { entry, pid: process.pid, loadMs, swapped: old !== undefined })
  }

  /** One start at a time; each sees the outcome of the one before. */
  const startNext = (newConfig: RunnerConfig, onlyIfGone = false, newPlace?: RunnerLocation): Promise<void> => {
    const turn = lastStart.then(async () => {
      starting++
      await startProcess(newConfig, onlyIfGone, newPlace ?? place).finally(() => starting--)
    })
    lastStart = turn.catch((error) => {
      if (closing.signal.aborted) return
      const { entry } = newPlace ?? place
      lastFailure = error instanceof RunnerError ? error : loadError(entry, `cannot be started: ${messageOf(error)}`)
      const keepsOld = current !== undefined
      events.emit('runner:load-failed', { entry, message: lastFailure.message, keepsOld })
      log.debug(keepsOld ? 'the runner before goes on' : 'there is no runner', { problem: lastFailure.message })
    })
    return turn
  }

  const onAnswer = (process: RunnerProcess) => {
    deathsInARow = 0
    if (process === current) dispatcher.next()
    else if (process.underWay.size === 0) void process[Symbol.asyncDispose]()
  }

  const onEnded = (process: RunnerProcess, error: RunnerError | undefined) => {
    processes.delete(process)
    if (error !== undefined) counts.died++
    if (closing.signal.aborted) {
      for (const request of process.underWay.values()) settle(request, ({ reject }) => reject(closing.signal.reason))
      return
    }
    dispatcher.onProcessExit(process, error ?? new RunnerError('died', 'the runner was stopped'))
    if (process !== current) return
    goneSince = clock.monotonic()
    current = undefined
    dispatcher.attach(undefined)
    lastFailure = error ?? lastFailure
    const restartInMs = restartLater()
    events.emit('runner:died', { pid: process.pid, kind: lastFailure.kind, message: lastFailure.message, restartInMs })
    log.debug('the runner ended and is started again', { problem: lastFailure.message, restartInMs })
  }

  const restartLater = (): number => {
    const waitMs = deathsInARow === 0 ? 0 : defaults.RESTART_FIRST_MS * 2 ** Math.min(deathsInARow - 1, 16)
    deathsInARow++
    const delayMs = Math.min(waitMs, defaults.RESTART_MAX_MS)
    const again = () => {
      startNext(config, true).catch(() => {
        if (current === undefined && !closing.signal.aborted) restartLater()
      })
    }
    if (delayMs === 0) again()
    else restarting = clock.after(delayMs, again)
    return delayMs
  }

  /** Watches the folder of the runner in force. */
  const watchFolder = () => {
    watching?.[Symbol.dispose]()
    const onSaved = () => void startNext(config).catch(() => {})
    watching = watchCode(clock, place.dir, onSaved, (error) =>
      log.warn('the runner is not watched', { error: error.message }),
    )
  }

  return {
    async start() {
      await startNext(config)
      if (init.network === false && !confinesNetwork()) {
        log.warn('this Node.js cannot deny the runner the network; Node.js 26 can', { version: process.version })
      }
      if (!canWatchMemory())
        log.warn('resident memory of the runner is not watched on this system; its heap is limited')
      watchFolder()
      expiring = clock.every(defaults.WATCH_EVERY_MS, () => {
        // one that starts is waited for: on a busy machine that takes longer than a decision
        const since = clock.monotonic() - (starting > 0 ? limits.loadMs : limits.timeoutMs)
        if (current === undefined && goneSince <= since) dispatcher.rejectWaiting(runnerUnavailable(lastFailure), since)
      })
    },
    async decide(service, snapshot, { signal } = {}) {
      if (closing.signal.aborted) throw closing.signal.reason
      try {
        const verdict = readVerdict(await dispatcher.ask(service, snapshot, { signal }))
        const overreach = grantError(verdict, service.author, snapshot)
        if (overreach !== undefined) throw overreachError(overreach)
        counts.decided++
        return verdict
      } catch (error) {
        if (error instanceof RunnerError) {
          counts.failed++
          events.emit('runner:failed', { service: service.id, kind: error.kind, message: error.message })
        }
        throw error
      }
    },
    reload: (newConfig = config, newPlace) => startNext(newConfig, false, newPlace),
    stats: () => ({
      ...counts,
      pid: current?.pid,
      residentBytes: current?.residentBytes ?? 0,
      waiting: dispatcher.waiting,
      underWay: [...processes].reduce((sum, { underWay }) => sum + underWay.size, 0),
    }),
    async [Symbol.asyncDispose]() {
      const gone = new UnavailableError('the runner host is closed')
      closing.abort(gone)
      restarting?.cancel()
      expiring?.cancel()
      watching?.[Symbol.dispose]()
      await lastStart
      await Promise.all([...processes].map((process) => process[Symbol.asyncDispose]()))
      dispatcher.rejectWaiting(gone)
    },
  }
}

async function problemOfEntry(path: string): Promise<string | undefined> {
  try {
    const found = await stat(path)
    if (found.isFile()) return undefined
    return found.isDirectory() ? 'is a folder and not a file' : 'is not a file'
  } catch (error) {
    const code = errnoOf(error)
    return code === 'ENOENT' || code === 'ENOTDIR' ? 'is not there' : `cannot be read (${code})`
  }
}
