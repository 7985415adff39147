import { type Announcement, encodeAnnouncement } from '../../../protocols/announcement.ts'
import { parseCid } from '../../../protocols/encoding.ts'
import { MAX_REPLY_TO } from '../../../protocols/limits.ts'
import { RUN_RULES } from '../../../protocols/receipt.ts'
import type { ApiClient } from '../../api/client/client.ts'
import type { NodeInfo } from '../../api/schemas/views.ts'
import { nowSeconds, sleep } from '../../base/clock.ts'
import { formatBytes, howMany } from '../../base/format.ts'
import { type PackEntry, packEntries } from '../../code/index.ts'
import type { RunView, ServiceView } from '../../node/types.ts'
import type { Author } from '../author.ts'
import { openPublishedIndex } from '../author.ts'
import type { Cli } from '../cli.ts'
import { commandText } from '../output/command-text.ts'
import { type Draft, signDraft } from './draft.ts'
import type { InterruptNote, stagesOf } from './interrupt-note.ts'
import { createReceiptTracker } from './receipt-tracker.ts'
import { nextSeq } from './sequence.ts'
import { stopPreviousAtNode } from './stop-previous.ts'
import { startWait, type WaitInit } from './wait.ts'
import { watchAnswers } from './watch-answers.ts'

/** How often a node is asked for news while --wait waits. */
const LOOK_MS = 500

export type Publishing = {
  readonly mode: 'publish' | 'update'
  readonly draft: Draft
  /** what the draft's folder holds */
  readonly entries: readonly PackEntry[]
  readonly author: Author
  readonly seq: number | undefined
  readonly wait: boolean
  /** shows what nodes do with it until the signal */
  readonly watch: boolean
  /** the version before is stopped first */
  readonly replace: boolean
  readonly timeoutSeconds: number
  readonly interrupt: InterruptNote
  readonly stages: ReturnType<typeof stagesOf>
}

/** Publishes through a running node: it keeps the archive, announces, and collects the receipts. */
export async function publishAtNode(cli: Cli, client: ApiClient, publishing: Publishing): Promise<void> {
  const { draft, author, mode, interrupt, stages } = publishing
  const { name } = draft.manifest
  const info = await client.node({ signal: cli.signal })
  const index = await openPublishedIndex(author, info.network)
  const mine = (await client.services({ signal: cli.signal })).filter(
    (view) => view.name === name && view.author === author.address,
  )
  const seq = nextSeq({
    name,
    mode,
    entry: index.get(name),
    known: mine,
    asked: publishing.seq,
    nowSeconds: nowSeconds(cli.clock),
  })
  const { code, size } =
    publishing.entries.length === 0
      ? { code: draft.manifest.code as string }
      : await upload(cli, client, publishing.entries)
  const announcement = signDraft(cli, draft, {
    signer: author.signer,
    network: info.network,
    seq,
    code: parseCid(code),
    replyTo: replyToOf(info),
  })
  const id = announcement.signed.id.toString()
  const entry = { seq, id, code, expires: announcement.signed.body.expires, ports: portsOf(draft) }
  if (publishing.replace) {
    interrupt.enter(stages.stopping)
    await stopPreviousAtNode(cli, client, { author, network: info.network, name, known: mine })
  }
  // written before it is sent: a number that a peer may have seen is never used again
  await index.put(name, { ...entry, state: 'draft' })
  interrupt.enter(stages.announcing)
  await client.announce(encodeAnnouncement(announcement), { signal: cli.signal })
  interrupt.enter(stages.announced(id))
  await index.put(name, { ...entry, state: 'announced' })
  printPublished(cli, { announcement, code, size, files: publishing.entries.length, seq, name })
  const { replicas } = draft.manifest
  if (publishing.watch) return await watchAnswers(cli, client, { id, name, replicas })
  if (!publishing.wait) return
  await waitForRuns(cli, client, info, { id, name, replicas, timeoutSeconds: publishing.timeoutSeconds })
}

export function portsOf({ manifest }: Draft): string[] {
  return manifest.run.ports.map((port) => port.name)
}

export type Published = {
  readonly announcement: Announcement
  readonly code: string
  /** bytes of its archive; undefined where the code was there already */
  readonly size?: number | undefined
  readonly files: number
  readonly seq: number
  readonly name: string
}

export function printPublished(
  { out }: Pick<Cli, 'out'>,
  { announcement, code, size, files, seq, name }: Published,
): void {
  const id = announcement.signed.id.toString()
  const { depth } = announcement.ticket
  const packed = size === undefined ? '' : ` (${howMany(files, 'file', 'files')}, ${formatBytes(size)})`
  // the whole id, also at a terminal: this is where people copy it from
  out.item({ event: 'published', id, name, seq, code, depth, ...(size !== undefined && { size, files }) }, () =>
    [`Code ${code}${packed}`, `Published "${name}" (seq ${seq}, depth ${depth}): ${id}`].join('\n'),
  )
}

async function upload({ out, signal }: Cli, client: ApiClient, entries: readonly PackEntry[]) {
  using progress = out.progress('packing and uploading')
  return await client.addArchive(countedArchive(entries, progress, { signal }), { signal })
}

/** The archive of these entries, as it is read; `progress` shows how far. */
export async function* countedArchive(
  entries: readonly PackEntry[],
  progress: { bytes(done: number, total: number): void },
  options: { signal?: AbortSignal | undefined },
): AsyncGenerator<Uint8Array> {
  const total = entries.reduce((sum, entry) => sum + ('size' in entry ? entry.size : 0), 0)
  let sent = 0
  for await (const piece of packEntries(entries, options)) {
    sent += piece.byteLength
    progress.bytes(Math.min(sent, total), total)
    yield piece
  }
}

/** Where receipts reach the node that publishes. */
function replyToOf({ multiaddrs }: NodeInfo): string[] {
  return multiaddrs.filter((text) => /\/p2p\/12D3KooW\w+$/.test(text)).slice(0, MAX_REPLY_TO)
}

/** Looks at the node's receipts, and at its own run of it, until it is clear what comes of the service. */
async function waitForRuns(
  cli: Cli,
  client: ApiClient,
  { peerId, address: node }: NodeInfo,
  init: Omit<WaitInit, 'tracker'>,
) {
  const tracker = createReceiptTracker(cli.out)
  using wait = startWait(cli, { ...init, status: commandText(cli, ['status', init.name]), tracker })
  using progress = cli.out.progress('waiting for nodes to run it')
  const { signal } = wait
  try {
    for (;;) {
      const [view, peers] = await Promise.all([client.service(init.id, { signal }), client.peers({ signal })])
      for (const receipt of view.receipts) tracker.take(receipt)
      if (view.run !== undefined)
        tracker.take({ peerId, node, ...ownAnswer(view, view.run), at: nowSeconds(cli.clock) })
      if (wait.over(peers.length)) break
      progress.update(tracker.summary())
      await sleep(cli.clock, LOOK_MS, { signal })
    }
  } catch (error) {
    return wait.report(error)
  }
  wait.report()
}

/** What the publisher's own node would say to another one. */
function ownAnswer({ state, redirected }: ServiceView, { exitCode, restarts, detail = '' }: RunView) {
  const failed = state === 'failed' || state === 'refused' || (restarts > 0 && exitCode !== 0)
  const outcome = failed ? ('fail' as const) : ('pass' as const)
  const exit = [exitCode === undefined ? '' : `exit code ${exitCode}`, detail].filter((word) => word !== '')
  const reasons = [
    ...(exit.length === 0 ? [] : [{ rule: RUN_RULES.exit, outcome, message: exit.join(': ') }]),
    ...(restarts === 0 ? [] : [{ rule: RUN_RULES.restart, outcome, message: `restart ${restarts}` }]),
  ]
  return { state, redirected, reasons }
}
