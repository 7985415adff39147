import { rm } from 'node:fs/promises'
import { sleep } from '../../base/clock.ts'
import { mayRetry, messageOf, UnavailableError } from '../../base/errors.ts'
import { type Backoff, backoffMs } from '../../base/retry.ts'
import { formatMs } from '../../base/text.ts'
import { FETCH_ATTEMPTS, RESTART_BACKOFF, RETRY_BACKOFF, STEADY_MS } from '../constants.ts'
import type { AdoptedRun, Executor, Run, RunEnd } from '../contract.ts'
import { RunRefusedError } from '../errors.ts'
import { FINAL_STATES, type RunChange, type RunRecord } from '../journal.ts'
import { formatLine } from '../logs/format.ts'
import { createLogWriter } from '../logs/writer.ts'
import { BuildFailedError, buildCode, buildDir } from './build.ts'
import type { ObtainedCode, SupervisorComponents, SupervisorInit } from './index.ts'
import { type Decided, decidedOf, endsAt, isImage, logDirOf, planOf, restarts } from './plan.ts'
import { at, untilHealthy } from './watch.ts'

/** One service's run on this node, from its decision to its end, over restarts. */
export interface Job {
  readonly runId: string
  readonly decided: Decided
  readonly healthy: boolean
  readonly run: Run | undefined
  /** Resolves when the run has reached a final state, or the node lets go of it. Never rejects. */
  readonly done: Promise<void>
  /** The wish is journalled already. */
  stop(why: string, graceMs: number): void
  /** Lets go of the run (it goes on) or ends it with the node. */
  close(end: boolean): void
}

export type JobInit = SupervisorInit & {
  readonly record: RunRecord
  readonly executor: Executor
  /** what the executor found of this run when the node started */
  readonly found: Promise<AdoptedRun | undefined>
  onHealthy(): void
}

/** Thrown through whatever waits, when the run is to end or the node lets go. */
class Interrupted extends Error {}

export function createJob(components: SupervisorComponents, init: JobInit): Job {
  const { clock, rng, log, events, journal, code } = components
  const { record, executor } = init
  const { runId } = record
  const decided = decidedOf(record)
  const { service, grant } = decided
  const writer = createLogWriter(logDirOf(init.dirs.logs, service.id), 'node', init.logs)
  const interrupt = new AbortController()
  const { signal } = interrupt
  let ending: { why: string; graceMs: number } | undefined
  let closing: 'let-go' | 'end' | undefined
  let run: Run | undefined
  let healthy = false
  let lease: ObtainedCode | undefined
  let restarted = record.restarts
  /** in a row, without a steady run between them */
  let failures = 0

  function enter(change: RunChange): void {
    const now = clock.now()
    journal.update(runId, { ...change, at: now })
    const { state, detail, exitCode } = change
    if (state === undefined) return
    const text = [state, exitCode === undefined ? undefined : `exit code ${exitCode}`, detail].filter(
      (part) => part !== undefined,
    )
    writer
      .write(formatLine('node', now, text.join(': ')))
      .catch((error) => log.warn('a log line could not be written', { error }))
    const { id } = service
    events.emit('execution:state', {
      service: id,
      runId,
      executor: executor.name,
      state,
      at: now,
      restarts: restarted,
      exitCode,
      detail,
    })
  }

  /** Does it until it works, cannot work, the attempts are spent, or the run is to end. */
  async function persist<T>(what: string, attempts: number, work: () => Promise<T>): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      signal.throwIfAborted()
      try {
        return await work()
      } catch (error) {
        if (signal.aborted || !mayRetry(error) || attempt + 1 >= attempts) throw error
        const wait = backoffMs(attempt, RETRY_BACKOFF as Backoff, rng)
        log.debug(`${what} did not work; again soon`, { runId, reason: messageOf(error), waitMs: Math.round(wait) })
        enter({ detail: `${what} is tried again: ${messageOf(error)}` })
        await sleep(clock, wait, { signal })
      }
    }
  }

  async function obtain(): Promise<string | undefined> {
    if (isImage(service)) return undefined
    if (lease === undefined) {
      enter({ state: 'fetching' })
      const onProgress = (progress: { doneBytes: number; totalBytes: number }) =>
        events.emit('execution:fetch-progress', { service: service.id, runId, ...progress })
      lease = await persist('fetching', FETCH_ATTEMPTS, () => code.obtain(service, { signal, onProgress }))
    }
    const { dir } = lease
    if (service.run.build === undefined) return dir
    enter({ state: 'building' })
    return persist('building', FETCH_ATTEMPTS, () => {
      return buildCode({ clock, executor, runId, decided, codeDir: dir, dirs: init.dirs, signal })
    })
  }

  async function start(codeDir: string | undefined): Promise<Run> {
    const plan = planOf({ runId, decided, purpose: 'run', codeDir, logsDir: init.dirs.logs })
    const handle = executor.handle(plan)
    enter({ state: 'starting', handle })
    return persist('starting', Number.POSITIVE_INFINITY, () => executor.start(plan, { signal }))
  }

  /** Stays with a run to its end, also when its engine goes away and comes back. */
  async function attend(first: Run): Promise<RunEnd> {
    run = first
    const over = new AbortController()
    const limit = endsAt(decided, first.startedAt)
    using _deadline = at(clock, limit.at, () => {
      ending ??= limit.why === 'expired' ? { why: 'it expired', graceMs: init.graceMs } : undefined
      void halt({ graceMs: init.graceMs, reason: limit.why === 'timeout' ? 'timeout' : 'stopped' })
    })
    if (signal.aborted) void halt({ graceMs: ending?.graceMs ?? init.graceMs })
    void becomesHealthy(first, over.signal)
    try {
      for (let attempt = 0; ; attempt++) {
        try {
          return await run.wait({ signal: letGo.signal })
        } catch (error) {
          letGo.signal.throwIfAborted()
          if (!mayRetry(error)) throw error
          events.emit('execution:executor', { executor: executor.name, available: false, detail: messageOf(error) })
          await sleep(clock, backoffMs(attempt, RETRY_BACKOFF, rng), { signal: letGo.signal })
          const found = await executor.adopt().catch(() => undefined)
          if (found === undefined) continue
          events.emit('execution:executor', { executor: executor.name, available: true, detail: 'it answers again' })
          const again = found.find((other) => other.runId === runId && other.state !== 'prepared')
          if (again === undefined) return { exitCode: 137, reason: 'exit', detail: 'its engine has lost it' }
          run = again.run
          if (ending !== undefined) void halt({ graceMs: ending.graceMs })
        }
      }
    } finally {
      over.abort()
      healthy = false
      run = undefined
    }
  }

  const letGo = new AbortController()

  async function halt(options: { graceMs: number; reason?: 'stopped' | 'timeout' }): Promise<void> {
    const target = run
    await target
      ?.stop(options)
      .catch((error) => log.warn('a run could not be asked to stop', { runId, reason: messageOf(error) }))
  }

  async function becomesHealthy(current: Run, over: AbortSignal): Promise<void> {
    const ports = (service.run.ports ?? []).map(({ port }) => port)
    if (!(await untilHealthy(current, ports, clock, over))) return
    healthy = true
    const now = clock.now()
    events.emit('execution:healthy', { service: service.id, runId, at: now, afterMs: now - current.startedAt })
    init.onHealthy()
  }

  /** After an end: true when it is to begin again. */
  async function afterwards(end: RunEnd, ranMs: number): Promise<boolean> {
    const failed = end.exitCode !== 0 || end.reason !== 'exit'
    const { exitCode } = end
    if (closing === 'end' && service.run.kind === 'service' && ending === undefined) {
      enter({ state: 'starting', detail: 'the node was closed; it starts again with it' })
      return false
    }
    if (ending !== undefined || closing === 'end') {
      enter({ state: 'stopped', exitCode, detail: ending?.why ?? 'the node was closed' })
      return false
    }
    const detail = end.reason === 'timeout' ? 'its time was over' : end.detail
    if (end.reason === 'timeout' || !restarts(service, failed)) {
      enter({ state: failed ? 'failed' : 'exited', exitCode, detail })
      return false
    }
    failures = ranMs >= STEADY_MS ? 0 : failures
    const wait = backoffMs(failures++, RESTART_BACKOFF, rng)
    restarted++
    const again = `${detail ?? (failed ? 'it failed' : 'it ended')}; again in ${formatMs(wait)}`
    enter({ state: 'starting', restarts: restarted, exitCode, detail: again })
    await executor.remove(handleOf())
    await sleep(clock, wait, { signal })
    return true
  }

  function handleOf(): unknown {
    return executor.handle(planOf({ runId, decided, purpose: 'run', codeDir: undefined, logsDir: init.dirs.logs }))
  }

  async function live(): Promise<void> {
    const found = await Promise.race([init.found, aborted(signal)])
    if (found?.state === 'prepared') await executor.remove(found.run.handle)
    let adopted = found === undefined || found.state === 'prepared' ? undefined : found.run
    if (adopted === undefined && record.state === 'running') {
      const lost = { exitCode: 137, reason: 'exit', detail: 'it is gone: the machine or its engine went down' } as const
      if (!(await afterwards(lost, 0))) return
    }
    for (;;) {
      if (adopted === undefined) {
        if (service.expires * 1000 <= clock.now()) return enter({ state: 'stopped', detail: 'it expired' })
        adopted = await start(await obtain())
      } else if (!isImage(service)) void holdCode()
      const { startedAt } = adopted
      enter({ state: 'running', startedAt, handle: adopted.handle })
      const end = await attend(adopted)
      adopted = undefined
      if (!(await afterwards(end, clock.now() - startedAt))) return
    }
  }

  /** A run that was adopted uses its code: the store must not take it away. */
  async function holdCode(): Promise<void> {
    lease ??= await code.obtain(service, { signal, onProgress: () => {} }).catch(() => undefined)
  }

  async function whole(): Promise<void> {
    try {
      if (record.wanted === 'stop') interrupt.abort(new Interrupted())
      await live()
    } catch (error) {
      if (closing === 'let-go') return
      if (ending !== undefined) await finishStopping(ending.why)
      else if (closing === undefined) fail(error)
    } finally {
      await tidy().catch((error) => log.warn('a run left something behind', { runId, reason: messageOf(error) }))
    }
  }

  /** Nothing of it may run any more when the journal says so; an engine that is away is waited for. */
  async function finishStopping(why: string): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      try {
        await executor.remove(handleOf())
        return enter({ state: 'stopped', detail: why })
      } catch (error) {
        log.warn('a stopped run could not be removed yet', { runId, reason: messageOf(error) })
        try {
          await sleep(clock, backoffMs(attempt, RETRY_BACKOFF, rng), { signal: letGo.signal })
        } catch {
          return
        }
      }
    }
  }

  function fail(error: unknown): void {
    const state = error instanceof RunRefusedError ? 'refused' : 'failed'
    if (!(error instanceof RunRefusedError || error instanceof BuildFailedError || error instanceof UnavailableError)) {
      log.error('a run failed', { runId, service: service.id, reason: messageOf(error) })
    }
    enter({ state, detail: messageOf(error) })
  }

  async function tidy(): Promise<void> {
    try {
      const final = FINAL_STATES.includes(journal.get(runId)?.state ?? 'failed')
      if (closing !== 'let-go') await executor.remove(handleOf())
      if (final) await rm(buildDir(init.dirs.builds, runId), { recursive: true, force: true })
      await lease?.release()
    } finally {
      await writer[Symbol.asyncDispose]()
    }
  }

  if (record.wanted === 'stop') ending = { why: record.detail ?? 'it was stopped', graceMs: init.graceMs }
  const done = whole()
  return {
    runId,
    decided,
    done,
    get healthy() {
      return healthy
    },
    get run() {
      return run
    },
    stop(why, graceMs) {
      ending = { why, graceMs }
      void halt({ graceMs })
      interrupt.abort(new Interrupted())
    },
    close(end) {
      closing ??= end ? 'end' : 'let-go'
      if (end) void halt({ graceMs: init.graceMs })
      else letGo.abort(new Interrupted())
      interrupt.abort(new Interrupted())
    },
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
