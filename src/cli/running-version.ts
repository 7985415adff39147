import type { ApiClient } from '../api/client/client.ts'
import type { ServiceView } from '../node/contract.ts'
import { FailedError } from './errors.ts'
import { receiptLine } from './publishing/tally.ts'

/** Nodes named in the sentence that says why nobody runs it. */
const MAX_TOLD = 4

/**
 * The newest version of a service that is healthy somewhere, by what nodes said of it. Where nobody runs any, it throws
 * at once, with the reasons. A name leads to what runs, so an older version counts while its update is not healthy.
 */
export async function runningVersion(
  client: ApiClient,
  view: ServiceView,
  options: { signal: AbortSignal },
): Promise<ServiceView> {
  const versions = (await client.services(options))
    // one that was superseded may run on: its nodes say so
    .filter(({ name, author, state }) => name === view.name && author === view.author && state !== 'expired')
    .sort((a, b) => b.seq - a.seq)
  const known = versions.find(isHealthy)
  if (known !== undefined) return known
  // who did not publish it here has no receipts: the mesh is asked
  const answers = await client.ask(view.id, options)
  if (answers.some(({ state }) => runs(state) || state === 'accepted')) return { ...view, receipts: answers }
  const told = [...view.receipts, ...answers].filter(({ state }) => state !== 'running')
  const lines = [...new Map(told.map((receipt) => [receipt.peerId, receiptLine(receipt, receipt.peerId)])).values()]
  const why = lines.length === 0 ? 'no node that answered knows of a run of it' : lines.slice(0, MAX_TOLD).join(' | ')
  throw new FailedError(`nobody runs ${JSON.stringify(view.name)} now: ${why}`)
}

function isHealthy({ state, receipts }: ServiceView): boolean {
  return runs(state) || receipts.some((receipt) => runs(receipt.state))
}

function runs(state: string): boolean {
  return state === 'running'
}
