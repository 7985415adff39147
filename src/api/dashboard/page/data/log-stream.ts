import { createParser } from 'eventsource-parser'
import { useEffect, useState } from 'preact/hooks'
import type { LogLine } from '../../../../node/types.ts'
import { connectionCount } from './live.ts'
import { Problem, request } from './request.ts'
import { problemOf } from './resource.ts'

export type LogState = {
  readonly lines: readonly (LogLine & { readonly key: number })[]
  /** following: more may come; ended: the run is over and this is all; broken: the rest did not arrive */
  readonly state: 'following' | 'ended' | 'broken'
  readonly problem: Problem | undefined
}

const TAIL = 200
/** Lines that a page holds; the whole log is a command away. */
const MAX_LINES = 1_000
/** A service that writes a thousand lines a second is drawn five times a second. */
const LOT_MS = 200

/** Follows the log of a service's run. It is read again when the connection is there again, and when there is another run. */
export function useLog(id: string, runId: string): LogState {
  const [log, setLog] = useState<LogState>({ lines: [], state: 'following', problem: undefined })
  const connected = connectionCount.value

  useEffect(() => {
    const given = new AbortController()
    let pending: LogLine[] = []
    let key = 0
    void [runId, connected]
    setLog({ lines: [], state: 'following', problem: undefined })

    const flush = (end?: Pick<LogState, 'state' | 'problem'>) => {
      const fresh = pending.map((line) => ({ ...line, key: key++ }))
      pending = []
      if (given.signal.aborted || (fresh.length === 0 && end === undefined)) return
      setLog((before) => ({ ...before, lines: [...before.lines, ...fresh].slice(-MAX_LINES), ...end }))
    }
    const timer = setInterval(flush, LOT_MS)
    readLog(id, given.signal, (line) => pending.push(line)).then(
      () => flush({ state: 'ended', problem: undefined }),
      (error: unknown) => flush({ state: 'broken', problem: problemOf(error) }),
    )
    return () => {
      clearInterval(timer)
      given.abort()
    }
  }, [id, runId, connected])
  return log
}

/** Resolves when the log has ended. */
async function readLog(id: string, signal: AbortSignal, take: (line: LogLine) => void): Promise<void> {
  const response = await request(`/service/${encodeURIComponent(id)}/logs?tail=${TAIL}&follow=true`, { signal })
  let ended = false
  const parser = createParser({
    onEvent({ event, data }) {
      const value = JSON.parse(data) as LogLine & { error?: string; detail?: string }
      if (event === 'log') take(value)
      else if (event === 'end') ended = true
      else if (event === 'error')
        throw new Problem(value.detail ?? value.error ?? 'The log broke off.', { status: 500 })
    },
  })
  const decoder = new TextDecoder()
  const reader = response.body?.getReader()
  for (;;) {
    const piece = await reader?.read()
    if (piece === undefined || piece.done) break
    parser.feed(decoder.decode(piece.value, { stream: true }))
  }
  if (!ended) throw new Problem('The log broke off.', { status: 0 })
}
