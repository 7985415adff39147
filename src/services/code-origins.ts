import { decodeAddress, formatAddress } from '../../protocols/address.ts'
import { CODE_RULES } from '../../protocols/receipt.ts'
import type { Source } from '../../protocols/service.ts'
import type { Events } from '../base/events.ts'
import { formatBytes, formatMs } from '../base/format.ts'
import { LruMap } from '../base/lru-map.ts'
import type { Reason } from '../base/verdict.ts'
import { type Code, type CodeEvents, type CodeProvenance, describeSource } from '../code/index.ts'
import type { ServiceEntry } from './registry.ts'
import { sourceText } from './source-text.ts'
import type { ProvenanceView, ServiceCodeView, SourceFailure } from './types.ts'

/** Services whose failed sources are remembered. */
const MAX_SERVICES = 1024
/** Failed sources of one service: an author names at most eight. */
const MAX_FAILURES = 8

type Service = Pick<ServiceEntry, 'id' | 'signed' | 'run'>

/** Where the code of services came from, and which of their sources failed since the node started. */
export interface CodeOrigins {
  of(service: Service): ServiceCodeView
  /** The same as reasons of a receipt. */
  reasonsOf(service: Service): readonly Reason[]
  /** The node knows these services no longer. */
  forget(services: readonly string[]): void
}

export interface CodeOriginsComponents {
  readonly events: Pick<Events<CodeEvents>, 'on'>
  readonly downloads: Pick<Code, 'whyWaits'>
  readonly store: Pick<Code['store'], 'has' | 'damage' | 'size' | 'provenance'>
}

export function createCodeOrigins({ events, downloads, store }: CodeOriginsComponents): CodeOrigins {
  /** By service: what the sources of one author say is not for another, whose service may have the same code. */
  const failed = new LruMap<string, { readonly code: string; readonly sources: Map<string, SourceFailure> }>(
    MAX_SERVICES,
  )

  events.on('code:source-failed', ({ code, service, source, problem, next }) => {
    if (service === undefined) return
    const { sources } = failed.get(service) ?? { sources: new Map() }
    failed.set(service, { code, sources })
    // the last failure is the last in order
    sources.delete(source)
    if (sources.size < MAX_FAILURES) sources.set(source, { source, problem, next })
  })
  events.on('code:removed', ({ code }) => {
    for (const [service, of] of failed.entries()) if (of.code === code) failed.delete(service)
  })

  function of({ id, signed: { body }, run }: Service): ServiceCodeView {
    const { code } = body
    const isHere = store.has(code)
    const bytes = store.size(code)
    const missing = bytes === undefined ? 'absent' : store.damage(code) === undefined ? 'partial' : 'damaged'
    const provenance = isHere ? store.provenance(code) : undefined
    return {
      code: code.toString(),
      state: isHere ? 'complete' : run?.state === 'fetching' ? 'fetching' : missing,
      bytes,
      waits: isHere ? undefined : downloads.whyWaits(code, formatAddress(decodeAddress(body.author))),
      provenance: provenance && isOf(body.sources, provenance) ? provenanceView(provenance) : undefined,
      failures: [...(failed.get(id)?.sources.values() ?? [])],
    }
  }

  return {
    of,
    reasonsOf(service) {
      const { bytes = 0, provenance, failures } = of(service)
      return [
        ...fetched(bytes, provenance),
        ...failures.map(({ problem, next }) =>
          reasonOf('fail', `${problem}${next === undefined ? '' : `; next: ${next}`}`),
        ),
      ]
    },
    forget(services) {
      for (const service of services) failed.delete(service)
    },
  }
}

/** As people and programs are shown it. */
export function provenanceView({ at, ...provenance }: CodeProvenance): ProvenanceView {
  return { ...provenance, at: Math.floor(at / 1000) }
}

/** It came by one of these sources, or by a way that is open to every service. */
function isOf(sources: readonly Source[], { from, source }: CodeProvenance): boolean {
  if (from === 'mesh' || from === 'local') return true
  return sources.some((each) => each.type === from && (from === 'inline' || describeSource(each) === source))
}

/** None for code that was here already, or came in the announcement. */
function fetched(bytes: number, provenance: ProvenanceView | undefined): Reason[] {
  if (provenance?.ms === undefined) return []
  const { from, ms } = provenance
  const source = sourceText(provenance)
  const which = source === undefined ? '' : ` (${source})`
  return [reasonOf('pass', `${from}: ${formatBytes(bytes)} in ${formatMs(ms)}${which}`)]
}

function reasonOf(outcome: Reason['outcome'], message: string): Reason {
  return { rule: CODE_RULES.origin, outcome, message }
}
