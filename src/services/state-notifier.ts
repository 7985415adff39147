import { decodeAddress } from '../../protocols/address.ts'
import type { Emitter } from '../base/events.ts'
import { LruMap } from '../base/lru-map.ts'
import type { Reason } from '../base/verdict.ts'
import type { ServiceEvents } from './events.ts'
import { receiptContentOf, wireState } from './receipt-content.ts'
import type { Receipts } from './receipts.ts'
import type { ServiceEntry, Services } from './registry.ts'
import { hasFailed, outputReasons } from './run-reasons.ts'
import type { ServiceState } from './types.ts'

/** Services whose last reported state is remembered; a forgotten one is reported again. */
const REMEMBERED = 8192

/** Reports what became of services. */
export interface StateNotifier {
  /** Notifies this node's listeners, and the publisher, if a service's state has changed. */
  notify(id: string, detail?: string): void
  /** Sends the publisher what a service has used, where the publisher is connected. */
  reportUsage(id: string): void
}

export interface StateNotifierComponents {
  events: Emitter<ServiceEvents>
  services: Services
  receipts: Receipts
  /** The last lines that a service wrote since its last start. */
  lastLines(id: string): Promise<readonly string[]>
  /** What its run has used, and what it left, where that is known. */
  usage(entry: ServiceEntry): Reason | undefined
  outputs(entry: ServiceEntry): Reason | undefined
  /** Which sources of its code failed, and why; empty where none did. */
  sourceFailures(entry: ServiceEntry): string
  /** Is its run to end because this node is drained? */
  isDrained(entry: ServiceEntry): boolean
}

export function createStateNotifier(
  { events, services, receipts, lastLines, usage, outputs, sourceFailures, isDrained }: StateNotifierComponents,
  closing: AbortSignal,
): StateNotifier {
  const reported = new LruMap<string, { state: ServiceState; run: string }>(REMEMBERED)

  function send(entry: ServiceEntry, { onlyConnected = false } = {}): void {
    const { id, signed } = entry
    const { replyTo } = signed.body
    const content = receiptContentOf(services, id)
    const more = async () => {
      const facts = [outputs(entry), usage(entry)].filter((reason) => reason !== undefined)
      return [...facts, ...(hasFailed(content.reasons) ? outputReasons(await lastLines(id)) : [])]
    }
    receipts.send(content, { replyTo, author: decodeAddress(signed.body.author), onlyConnected }, closing, more)
  }

  return {
    notify(id, detail) {
      const entry = services.get(id)
      if (entry === undefined) return
      const { body } = entry.signed
      const state = services.state(entry)
      const before = reported.get(id)
      const run = entry.run?.state === 'fetching' ? sourceFailures(entry) : runDetail(entry)
      const news = isDrained(entry) ? `${run}, drained` : run
      if (before?.state === state && before.run === news) return
      reported.set(id, { state, run: news })
      if (before?.state !== state) events.emit('node:state', { id, name: body.name, state, detail })
      // that it will run was reported with the verdict
      if (wireState(state) === 'unknown' || (state === 'accepted' && run === '')) return
      send(entry)
    },
    reportUsage(id) {
      const entry = services.get(id)
      // a publisher that is away asks, or hears it with the next change
      if (entry?.run?.state === 'running') send(entry, { onlyConnected: true })
    },
  }
}

/** What is news of a run in the same state: that it is up for the first time, each time that it failed, where its build comes from. */
function runDetail({ run }: ServiceEntry): string {
  if (run === undefined) return ''
  if (run.restarts > 0) return `restart ${run.restarts}`
  if (run.state === 'building') return run.detail ?? ''
  return run.state === 'running' ? 'up' : ''
}
