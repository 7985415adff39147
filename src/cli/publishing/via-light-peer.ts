import { anySignal } from 'any-signal'
import { type CID, parseCid } from '../../../protocols/encoding.ts'
import { deadline, nowSeconds, sleep } from '../../base/clock.ts'
import { TimeoutError } from '../../base/errors.ts'
import { formatMs } from '../../base/format.ts'
import type { PackEntry } from '../../code/index.ts'
import type { LightPeer } from '../../light-peer/types.ts'
import { receiptView } from '../../services/receipts.ts'
import { openPublishedIndex } from '../author.ts'
import type { Cli } from '../cli.ts'
import { hasRun } from '../service-versions/service-target.ts'
import { signDraft } from './draft.ts'
import { createReceiptTracker, type ReceiptTracker } from './receipt-tracker.ts'
import { nextSeq } from './sequence.ts'
import { stopPreviousByPeer } from './stop-previous.ts'
import { countedArchive, type Publishing, portsOf, printPublished } from './via-node.ts'
import { startWait, type WaitInit } from './wait.ts'

/** How often the DHT is asked who holds the archive. */
const LOOK_MS = 2_000
/** How often it is asked whether it is over. */
const JUDGE_MS = 250
/** Nodes that reported a run and are remembered. */
const MAX_RAN = 16

/**
 * Publishes without a node: a peer for a minute announces, and serves the archive until others hold it. Then this
 * machine may go; with `wait`, it stays until others run it.
 */
export async function publishByLightPeer(
  cli: Cli,
  publishing: Publishing & { readonly join: readonly string[]; readonly network: string },
): Promise<void> {
  const { draft, author, mode, network, join, interrupt, stages } = publishing
  const { clock, out, signal } = cli
  const { name, replicas } = draft.manifest
  const index = await openPublishedIndex(author, network)
  const entry = index.get(name)
  const seq = nextSeq({ name, mode, entry, known: [], asked: publishing.seq, nowSeconds: nowSeconds(clock) })
  const components = { clock, rng: cli.rng, log: cli.log('error') }
  await using peer = await cli.factories.lightPeer(components, { network, join, author: author.signer, signal })
  const { entries } = publishing
  const { code, size } =
    entries.length === 0 ? { code: parseCid(draft.manifest.code as string) } : await pack(cli, peer, entries)
  const announcement = signDraft(cli, draft, { signer: author.signer, network, seq, code, replyTo: peer.replyTo() })
  const { id, body } = announcement.signed
  const made = { seq, id: id.toString(), code: code.toString(), expires: body.expires, ports: portsOf(draft) }
  if (publishing.replace) {
    interrupt.enter(stages.stopping)
    await stopPreviousByPeer(cli, peer, { author, network, name, entry })
  }
  await index.put(name, { ...made, state: 'draft' })
  interrupt.enter(stages.announcing)
  await peer.announce(announcement, { signal })
  const { wait, timeoutSeconds } = publishing
  const following = { service: id, code, tracker: createReceiptTracker(out) }
  const { tracker } = following
  interrupt.enter(stages.serving(made.id, () => `${tracker.holding} of ${replicas} wanted nodes hold it`))
  await index.put(name, { ...made, state: 'announced' })
  printPublished(cli, { announcement, code: code.toString(), size, files: entries.length, seq, name })
  try {
    if (wait) await waitForRuns(cli, peer, following, { id: made.id, name, replicas, timeoutSeconds })
    else await waitForHolders(cli, peer, following, { id: made.id, replicas, timeoutSeconds })
  } finally {
    // `logs` and `connect` ask them first
    const ran = tracker.answers().filter(hasRun)
    await index.put(name, { ...made, state: 'announced', ran: ran.map(({ peerId }) => peerId).slice(0, MAX_RAN) })
  }
}

type Following = { readonly service: CID; readonly code: CID; readonly tracker: ReceiptTracker }

async function waitForHolders(
  cli: Cli,
  peer: LightPeer,
  following: Following,
  { id, replicas, timeoutSeconds }: { id: string; replicas: number; timeoutSeconds: number },
): Promise<void> {
  const { clock, out } = cli
  const { tracker } = following
  using patience = deadline(clock, timeoutSeconds * 1000, new TimeoutError('the time is up'), cli.signal)
  using progress = out.progress('waiting for nodes that hold the archive')
  try {
    await follow(cli, peer, {
      ...following,
      progress,
      patience: patience.signal,
      over: () => tracker.holding >= replicas,
    })
  } catch (error) {
    if (!patience.signal.aborted || cli.signal.aborted) throw error
    const after = `after ${formatMs(timeoutSeconds * 1000)}`
    const sentence = `${after}, ${tracker.holding} of ${replicas} wanted nodes hold the archive (${tracker.summary()})`
    throw new TimeoutError(sentence, { cause: error })
  }
  const { holding } = tracker
  out.item(
    { event: 'held', id, nodes: holding },
    () => `Nodes that hold the archive: ${holding} (wanted: ${replicas}).`,
  )
}

async function waitForRuns(cli: Cli, peer: LightPeer, following: Following, init: Omit<WaitInit, 'tracker'>) {
  using wait = startWait(cli, { ...init, tracker: following.tracker })
  using progress = cli.out.progress('waiting for nodes to run it')
  try {
    await follow(cli, peer, { ...following, progress, patience: wait.signal, over: () => wait.over() })
  } catch (error) {
    return wait.report(error)
  }
  wait.report()
}

async function pack({ out, signal }: Cli, peer: LightPeer, entries: readonly PackEntry[]) {
  using progress = out.progress('packing')
  return await peer.addArchive(countedArchive(entries, progress, { signal }), { signal })
}

type Watching = Following & {
  readonly patience: AbortSignal
  readonly progress: { update(text: string): void }
  over(): boolean
}

/** Listens for receipts, and asks who holds the archive, until it is over. */
async function follow(cli: Cli, peer: LightPeer, watching: Watching): Promise<void> {
  const { service, code, tracker, patience, over, progress } = watching
  const leave = new AbortController()
  using stack = new DisposableStack()
  const signal = stack.adopt(anySignal([leave.signal, patience]), (combined) => combined.clear())
  const listen = async () => {
    for await (const receipt of peer.receipts({ signal })) {
      if (receipt.body.service.equals(service)) tracker.take(receiptView(receipt))
    }
  }
  const look = async () => {
    for (;;) {
      for await (const holder of peer.holders(code, { signal })) tracker.hold(holder)
      await sleep(cli.clock, LOOK_MS, { signal })
    }
  }
  const judge = async () => {
    while (!over()) {
      progress.update(tracker.summary())
      await sleep(cli.clock, JUDGE_MS, { signal })
    }
    leave.abort()
  }
  const all = await Promise.allSettled([judge(), listen(), look()])
  if (leave.signal.aborted) return
  patience.throwIfAborted()
  for (const one of all) if (one.status === 'rejected') throw one.reason
  throw new TimeoutError('the peer stopped listening')
}
