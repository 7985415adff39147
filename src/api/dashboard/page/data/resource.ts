import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { connectionCount, type LiveEvent, listen } from './live.ts'
import { ask, Problem } from './request.ts'

export type Resource<T> = {
  /** the last answer; undefined until the first comes */
  readonly value: T | undefined
  /** why the newest question has no answer */
  readonly problem: Problem | undefined
  reload(): void
}

/** An event that changes many answers at once is followed by one question, not by a thousand. */
const SETTLE_MS = 400

/**
 * What the node answers under `path`; asked again when it matters: when an event comes that `concerns` says yes to, and when the
 * connection is there again. `path` undefined: nothing is asked.
 */
export function useResource<T>(path: string | undefined, concerns?: (event: LiveEvent) => boolean): Resource<T> {
  return useAnswer(path, (signal) => ask<T>(path ?? '', { signal }), concerns)
}

/** The same for an answer that is put together from several. `path` names it: another name is another question. */
export function useAnswer<T>(
  path: string | undefined,
  read: (signal: AbortSignal) => Promise<T>,
  concerns?: (event: LiveEvent) => boolean,
): Resource<T> {
  const [answer, setAnswer] = useState<{ path: string; value: T } | undefined>()
  const [problem, setProblem] = useState<Problem | undefined>()
  const [count, setCount] = useState(0)
  const wanted = useRef(concerns)
  wanted.current = concerns
  const reading = useRef(read)
  reading.current = read
  const connected = connectionCount.value
  const reload = useCallback(() => setCount((before) => before + 1), [])

  useEffect(() => {
    if (path === undefined) return
    const given = new AbortController()
    void count
    void connected
    reading.current(given.signal).then(
      (value) => {
        setAnswer({ path, value })
        setProblem(undefined)
      },
      (error: unknown) => {
        if (!given.signal.aborted) setProblem(problemOf(error))
      },
    )
    return () => given.abort()
  }, [path, count, connected])

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    const stop = listen((events) => {
      const { current } = wanted
      if (current === undefined || timer !== undefined || !events.some(current)) return
      timer = setTimeout(() => {
        timer = undefined
        reload()
      }, SETTLE_MS)
    })
    return () => {
      clearTimeout(timer)
      stop()
    }
  }, [reload])

  return { value: answer?.path === path ? answer?.value : undefined, problem, reload }
}

export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error
  return new Problem(error instanceof Error ? error.message : String(error), { status: 0 })
}

export type Action = {
  readonly busy: boolean
  readonly problem: Problem | undefined
  run(work: () => Promise<void>): void
  clear(): void
}

/** Something that a person starts: once at a time, and why it failed. */
export function useAction(): Action {
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<Problem | undefined>()
  return {
    busy,
    problem,
    run(work) {
      if (busy) return
      setBusy(true)
      setProblem(undefined)
      work()
        .catch((error: unknown) => setProblem(problemOf(error)))
        .finally(() => setBusy(false))
    },
    clear: () => setProblem(undefined),
  }
}
