import type { ApiClient } from '../../src/api/index.ts'

/** A service that the node has acknowledged. */
type Acknowledged = {
  readonly id: string
  readonly kind: 'task' | 'service'
  /** its author's stop was sent, and was acknowledged */
  stop?: 'sent' | 'acknowledged'
}

/** What the node has acknowledged, whatever became of it since. */
export type Ledger = {
  readonly services: Map<string, Acknowledged>
  /** content ids of code that was handed in */
  readonly codes: Set<string>
}

/** States of a service that is going to run, or runs. */
const ALIVE = ['accepted', 'running', 'parked']

export function createLedger(): Ledger {
  return { services: new Map(), codes: new Set() }
}

/** What the node has lost of what it acknowledged; one sentence each. */
export async function lossesOf({ services, codes }: Ledger, api: ApiClient): Promise<string[]> {
  const known = new Map((await api.services()).map((view) => [view.id, view]))
  const stored = new Set((await api.code.list()).codes.map(({ code }) => code))
  const losses = [...codes].filter((code) => !stored.has(code)).map((code) => `code ${code} is lost`)
  for (const { id, kind, stop } of services.values()) {
    const view = known.get(id)
    if (view === undefined) losses.push(`${kind} ${id} is lost`)
    else if (stop === 'acknowledged' && view.stoppedBy === undefined) losses.push(`the stop of ${id} is lost`)
    else if (kind === 'service' && stop === undefined && !ALIVE.includes(view.state))
      losses.push(`service ${id} is ${view.state}, and nobody stopped it`)
  }
  return losses
}
