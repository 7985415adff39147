import { CODE_RULES } from '../../protocols/receipt.ts'
import type { Events } from '../base/events.ts'
import { formatBytes, formatMs } from '../base/format.ts'
import { LruMap } from '../base/lru-map.ts'
import type { Reason } from '../base/verdict.ts'
import type { CodeEvents } from '../code/index.ts'

/** Codes whose origin is remembered. */
const MAX_CODES = 1024
/** Refused sources of one code: an author names at most eight. */
const MAX_REFUSED = 8

/** Where the code on this node came from since it started, as reasons of a receipt. */
export interface CodeOrigins {
  reasonsOf(code: string): readonly Reason[]
}

type Origin = { came?: Reason | undefined; readonly refused: Map<string, Reason> }

export function createCodeOrigins(events: Pick<Events<CodeEvents>, 'on'>): CodeOrigins {
  const origins = new LruMap<string, Origin>(MAX_CODES)

  function change(code: string, act: (origin: Origin) => void): void {
    const origin = origins.get(code) ?? { refused: new Map() }
    act(origin)
    origins.set(code, origin)
  }

  events.on('code:fetch-finished', ({ code, size, ms, from, source }) => {
    const which = source === undefined ? '' : ` (${source})`
    change(code, (origin) => {
      origin.came = reasonOf('pass', `${from}: ${formatBytes(size)} in ${formatMs(ms)}${which}`)
    })
  })
  events.on('code:source-failed', ({ code, source, problem, next }) =>
    change(code, ({ refused }) => {
      if (refused.size >= MAX_REFUSED && !refused.has(source)) return
      refused.set(source, reasonOf('fail', `${problem}${next === undefined ? '' : `; next: ${next}`}`))
    }),
  )
  return {
    reasonsOf(code) {
      const origin = origins.get(code)
      if (origin === undefined) return []
      return [...(origin.came === undefined ? [] : [origin.came]), ...origin.refused.values()]
    },
  }
}

function reasonOf(outcome: Reason['outcome'], message: string): Reason {
  return { rule: CODE_RULES.origin, outcome, message }
}
