import { type CID, parseCid } from '../../protocols/encoding.ts'
import { CODE_RULES } from '../../protocols/receipt.ts'
import type { Events } from '../base/events.ts'
import { formatBytes, formatMs } from '../base/format.ts'
import { LruMap } from '../base/lru-map.ts'
import type { Reason } from '../base/verdict.ts'
import type { Code, CodeEvents } from '../code/index.ts'

/** Codes whose refused sources are remembered. */
const MAX_CODES = 1024
/** Refused sources of one code: an author names at most eight. */
const MAX_REFUSED = 8

/** Where the code on this node came from, and which of its sources failed since the node started, as reasons of a receipt. */
export interface CodeOrigins {
  reasonsOf(code: string): readonly Reason[]
}

export interface CodeOriginsComponents {
  readonly events: Pick<Events<CodeEvents>, 'on'>
  readonly store: Pick<Code['store'], 'size' | 'provenance'>
}

export function createCodeOrigins({ events, store }: CodeOriginsComponents): CodeOrigins {
  const refused = new LruMap<string, Map<string, Reason>>(MAX_CODES)

  events.on('code:source-failed', ({ code, source, problem, next }) => {
    const ofCode = refused.get(code) ?? new Map()
    refused.set(code, ofCode)
    if (ofCode.size >= MAX_REFUSED && !ofCode.has(source)) return
    ofCode.set(source, reasonOf('fail', `${problem}${next === undefined ? '' : `; next: ${next}`}`))
  })

  /** None for code that was here already, or came in the announcement. */
  function fetched(code: CID): Reason[] {
    const { from, source, ms } = store.provenance(code) ?? {}
    if (ms === undefined) return []
    const size = formatBytes(store.size(code) ?? 0)
    return [reasonOf('pass', `${from}: ${size} in ${formatMs(ms)}${source === undefined ? '' : ` (${source})`}`)]
  }

  return { reasonsOf: (code) => [...fetched(parseCid(code)), ...(refused.get(code)?.values() ?? [])] }
}

function reasonOf(outcome: Reason['outcome'], message: string): Reason {
  return { rule: CODE_RULES.origin, outcome, message }
}
