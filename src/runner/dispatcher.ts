import { addAbortListener } from 'node:events'
import type { Clock } from '../base/clock.ts'
import { QueueFullError } from '../base/work-queue.ts'
import { MAX_WAITING, WINDOW } from './constants.ts'
import type { ReceivedService, RunnerSnapshot } from './contract.ts'
import { RunnerError } from './errors.ts'
import type { RunnerProcess } from './process.ts'
import { possibleCauses, type Request, settle } from './request.ts'

/** Keeps every request until it is answered, and hands them to whichever process is there. */
export interface Dispatcher {
  /** Resolves with what the module returned, unchecked. */
  ask(
    service: ReceivedService,
    snapshot: RunnerSnapshot,
    options: { signal?: AbortSignal | undefined },
  ): Promise<unknown>
  /** From now on requests go to this process; to none when undefined. */
  attach(process: RunnerProcess | undefined): void
  /** A process ended: the request that ended it is rejected, the others are sent again. */
  onProcessExit(process: RunnerProcess, error: RunnerError): void
  /** There may be capacity for more. */
  next(): void
  /** Gives up on what has waited for a process since before `time`, or on everything. */
  rejectWaiting(error: Error, time?: number): void
  readonly waiting: number
}

export function createDispatcher(clock: Clock): Dispatcher {
  let waiting: Request[] = []
  let toIsolate: Request[] = []
  let current: RunnerProcess | undefined
  let nextId = 1
  let scheduled = false

  const flush = () => {
    scheduled = false
    if (current === undefined) return
    const alone = current.underWay.size === 1 && [...current.underWay.values()].some(({ isolated }) => isolated)
    if (toIsolate.length > 0) {
      // An isolated request is sent with nothing beside it, so that the next failure has one name.
      if (current.underWay.size === 0) current.send(toIsolate.shift() as Request)
    } else if (!alone) {
      const count = Math.min(WINDOW - current.underWay.size, waiting.length)
      for (const request of count > 0 ? waiting.splice(0, count) : []) current.send(request)
    }
    current.flush()
  }
  // Once for everything that happens in one turn of the event loop: that is what makes a batch.
  const next = () => {
    if (scheduled) return
    scheduled = true
    queueMicrotask(flush)
  }
  const forget = (request: Request) => {
    waiting = waiting.filter((other) => other !== request)
    toIsolate = toIsolate.filter((other) => other !== request)
    if (current?.underWay.has(request.id)) {
      current.cancel(request.id)
      next()
    }
  }

  return {
    ask(service, snapshot, { signal }) {
      return new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason)
        if (waiting.length >= MAX_WAITING) {
          return reject(new QueueFullError(`the runner's queue is full (${MAX_WAITING} waiting)`))
        }
        const stop = () => {
          settle(request, () => reject(signal?.reason))
          forget(request)
        }
        const listening = signal && addAbortListener(signal, stop)
        const done = () => listening?.[Symbol.dispose]()
        const request: Request = {
          id: nextId++,
          service,
          snapshot,
          resolve: (verdict) => {
            done()
            resolve(verdict)
          },
          reject: (error) => {
            done()
            reject(error)
          },
          waitsSince: clock.monotonic(),
          isolated: false,
          slow: false,
          settled: false,
        }
        waiting.push(request)
        next()
      })
    },
    attach(process) {
      current = process
      next()
    },
    onProcessExit(process, error) {
      const causes = possibleCauses(process.underWay.values())
      // A hang is the doing of the one that is asked. A full memory may be the sum of many decisions, and an exception
      // may come from elsewhere: then the possible causes get a second chance in a new process.
      const certain = causes.size === 1 && error.kind === 'timeout'
      const resend: Request[] = []
      for (const request of process.underWay.values()) {
        request.waitsSince = clock.monotonic()
        request.slow = false
        if (!causes.has(request)) resend.push(request)
        else if (certain || request.isolated) settle(request, ({ reject }) => reject(error))
        else toIsolate.push(Object.assign(request, { isolated: true }))
      }
      waiting = [...resend.filter(({ settled }) => !settled), ...waiting]
      toIsolate = toIsolate.filter(({ settled }) => !settled)
      next()
    },
    next,
    rejectWaiting(error, time = Number.POSITIVE_INFINITY) {
      const late = [...toIsolate, ...waiting].filter(({ waitsSince }) => waitsSince <= time)
      for (const request of late) settle(request, ({ reject }) => reject(error))
      waiting = waiting.filter(({ settled }) => !settled)
      toIsolate = toIsolate.filter(({ settled }) => !settled)
    },
    get waiting() {
      return waiting.length + toIsolate.length
    },
  }
}

/** What is said of a request for which no process came up in time. */
export function runnerUnavailable(why: RunnerError): RunnerError {
  return new RunnerError(why.kind, `the runner is not there: ${why.message}`, { cause: why })
}
