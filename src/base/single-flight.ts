import { raceSignal } from 'race-signal'
import { StoppedError } from './errors.ts'

/** Work that several want at once and that is done once. It is aborted when the last of them has lost interest. */
export interface SingleFlight<T> extends AsyncDisposable {
  run(key: string, work: (signal: AbortSignal) => Promise<T>, options: FlightOptions): Promise<T>
  /** Resolves when work that all have lost interest in is over; at once where there is none. */
  abandoned(key: string): Promise<void>
}

export type FlightOptions = {
  readonly signal?: AbortSignal | undefined
  /** A failure that may be due to whoever began the work, and says nothing of this caller's: then its own is done. */
  readonly isTheirs?: ((error: unknown) => boolean) | undefined
}

type Running<T> = { readonly result: Promise<T>; readonly controller: AbortController; waiters: number }

export function createSingleFlight<T>(): SingleFlight<T> {
  const running = new Map<string, Running<T>>()
  let disposedWith: Error | undefined

  function start(key: string, work: (signal: AbortSignal) => Promise<T>): Running<T> {
    const controller = new AbortController()
    const result = work(controller.signal).finally(() => {
      if (running.get(key) === job) running.delete(key)
    })
    const job: Running<T> = { result, controller, waiters: 0 }
    result.catch(() => {})
    running.set(key, job)
    return job
  }
  return {
    async run(key, work, { signal, isTheirs }) {
      for (;;) {
        signal?.throwIfAborted()
        if (disposedWith !== undefined) throw disposedWith
        const job = running.get(key)
        // abandoned by all callers: its resources must be free again before the next one starts
        if (job?.controller.signal.aborted === true) await job.result.catch(() => {})
        else if (job === undefined || isTheirs === undefined) return await wait(job ?? start(key, work), signal)
        else {
          const joined = await wait(job, signal).then(
            (value) => ({ value }),
            (error: unknown) => ({ error }),
          )
          if ('value' in joined) return joined.value
          if (!isTheirs(joined.error)) throw joined.error
        }
      }
    },
    async abandoned(key) {
      const job = running.get(key)
      if (job?.controller.signal.aborted === true) await job.result.catch(() => {})
    },
    async [Symbol.asyncDispose]() {
      disposedWith ??= new StoppedError('the node stops')
      const jobs = [...running.values()]
      for (const { controller } of jobs) controller.abort(disposedWith)
      await Promise.allSettled(jobs.map(({ result }) => result))
    },
  }
}

async function wait<T>(job: Running<T>, signal: AbortSignal | undefined): Promise<T> {
  job.waiters++
  try {
    return await raceSignal(job.result, signal)
  } finally {
    if (--job.waiters === 0) job.controller.abort(signal?.reason)
  }
}
