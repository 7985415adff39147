import type { ApiClient } from '../../api/client/client.ts'
import { nowSeconds, sleep } from '../../base/clock.ts'
import { sanitizeText } from '../../base/format.ts'
import type { ReceiptView } from '../../node/types.ts'
import type { Cli } from '../cli.ts'
import { table } from '../output/output.ts'
import { ago, idFormats } from '../output/text.ts'
import { keepAlive } from '../wait-for-exit.ts'
import { receiptSentence } from './receipt-tracker.ts'

/** Between two questions to each node; an answer is waited for up to 4 s. */
const ASK_EVERY_MS = 5_000

/** Those that run it first, then those that may, then those that do not. */
const ORDER = ['running', 'done', 'accepted', 'parked', 'redirected', 'refused', 'failed', 'stopped']

/** A live table of what each node does with a service: who runs it, who does not, and why. Ends with the signal. */
export async function watchAnswers(
  { out, clock, signal }: Cli,
  client: ApiClient,
  { id, name, replicas }: { id: string; name: string; replicas: number },
): Promise<void> {
  using _alive = keepAlive()
  const latest = new Map<string, ReceiptView>()
  const { peer } = idFormats(out.terminal)
  for (;;) {
    const { receipts } = await client.service(id, { signal })
    const answers = await client.ask(id, { signal })
    for (const receipt of [...receipts, ...answers]) {
      if ((latest.get(receipt.peerId)?.at ?? 0) <= receipt.at) latest.set(receipt.peerId, receipt)
    }
    const shown = [...latest.values()].sort((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state))
    const running = shown.filter(({ state }) => state === 'running' || state === 'done').length
    out.frame({ event: 'answers', id, name, replicas, running, nodes: shown }, () => {
      const now = nowSeconds(clock)
      const rows = shown.map((receipt) => [peer(receipt.peerId), receiptSentence(receipt), ago(receipt.at, now)])
      return [
        `"${sanitizeText(name, 64)}": ${running} of ${replicas} wanted nodes run it. Ctrl-C ends this, and nothing else.`,
        ...(rows.length === 0 ? ['No node has answered yet.'] : table(['NODE', 'WHAT IT DOES', 'SAID'], rows)),
      ]
    })
    await sleep(clock, ASK_EVERY_MS, { signal })
  }
}
