import { anySignal } from 'any-signal'
import { parseCid } from '../../../protocols/encoding.ts'
import { sleep } from '../../base/clock.ts'
import { createWorkQueue } from '../../base/work-queue.ts'
import type { LightPeer } from '../../light-peer/types.ts'
import type { ReceiptView } from '../../node/types.ts'
import { within } from '../../peer-client/status.ts'
import { receiptView } from '../../services/receipts.ts'
import type { Cli } from '../cli.ts'
import { hasRun, type Version } from './service-target.ts'

/** All answers have come by then, or are not waited for; a node that reported a run is tried longer, and the first answer. */
const ASK_MS = 3_000
const REPORTED_MS = 6_000
export const FIRST_ANSWER_MS = 9_000
/** If no node is found, the DHT is asked again: it may learn of a new run seconds after its start. */
const AGAIN_MS = 500
/** Versions that are asked for at the same time, newest first: a node answers so many questions of one peer at once. */
const ASKED_AT_ONCE = 8

export type Answer = { readonly version: Version; readonly receipt: ReceiptView }

/**
 * What nodes say of these versions now: all are asked, newest first. `wait` says how long others are still waited for
 * after an answer, in ms; undefined: it is not what is looked for.
 */
export async function askAll(
  { clock, signal }: Pick<Cli, 'clock' | 'signal'>,
  peer: LightPeer,
  versions: readonly Version[],
  wait: (answer: Answer) => number | undefined,
): Promise<Answer[]> {
  const begun = clock.monotonic()
  for (;;) {
    const answers = await askOnce()
    if (answers.some((answer) => wait(answer) !== undefined)) return answers
    const ran = versions.flatMap(({ reports, peers }) =>
      reports.filter((one) => hasRun(one) && peers.includes(one.peerId)),
    )
    const silent = ran.some(({ peerId }) => !answers.some(({ receipt }) => receipt.peerId === peerId))
    if (answers.length > 0 && ran.length > 0 && !silent) return answers
    const patienceMs = answers.length === 0 ? FIRST_ANSWER_MS : silent ? REPORTED_MS : ASK_MS
    if (clock.monotonic() + AGAIN_MS >= begun + patienceMs) return answers
    await sleep(clock, AGAIN_MS, { signal })
  }

  async function askOnce(): Promise<Answer[]> {
    const answers: Answer[] = []
    const enough = new AbortController()
    using stack = new DisposableStack()
    const both = stack.adopt(anySignal([signal, enough.signal]), (combined) => combined.clear())
    const ask = async (version: Version) => {
      const options = { peers: version.peers }
      const asked = within(clock, ASK_MS, both, (until) =>
        peer.ask(parseCid(version.id), { ...options, signal: until }),
      )
      for await (const receipt of asked) {
        const answer = { version, receipt: receiptView(receipt) }
        answers.push(answer)
        const ms = wait(answer)
        if (ms !== undefined) stack.use(clock.after(ms, () => enough.abort()))
      }
    }
    const queue = createWorkQueue({ name: 'versions', concurrency: ASKED_AT_ONCE, max: versions.length })
    const askInTurn = async (version: Version) => {
      try {
        if (!enough.signal.aborted) await ask(version)
      } catch (error) {
        if (!enough.signal.aborted || signal.aborted) throw error
      }
    }
    await Promise.all(versions.map((version) => queue.add(() => askInTurn(version))))
    return answers
  }
}
