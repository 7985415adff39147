import { type CID, parseCid } from '../../../protocols/encoding.ts'
import { deadline, nowSeconds, sleep } from '../../base/clock.ts'
import { messageOf, TimeoutError } from '../../base/errors.ts'
import { formatMs } from '../../base/text.ts'
import type { LightPeer } from '../../node/light-contract.ts'
import { receiptView } from '../../node/receipts.ts'
import { openBook } from '../author.ts'
import type { Cli } from '../cli.ts'
import { type Publishing, portsOf, tellPublished } from './at-node.ts'
import { signDraft } from './draft.ts'
import { tellOnLeave } from './leave.ts'
import { nextSeq } from './sequence.ts'
import { createTally, type Tally } from './tally.ts'

/** How often the DHT is asked who holds the archive. */
const LOOK_MS = 2_000

/**
 * Publishes without a node: a peer for a minute announces, and serves the archive until others hold it. Then this
 * machine may go; with `wait`, it stays until others run it.
 */
export async function publishByLightPeer(
  cli: Cli,
  publishing: Publishing & { readonly join: readonly string[]; readonly network: string },
): Promise<void> {
  const { draft, author, mode, network, join } = publishing
  const { clock, out, signal } = cli
  const { name, replicas } = draft.manifest
  const book = await openBook(author, network)
  const entry = book.get(name)
  const seq = nextSeq({ name, mode, entry, known: [], asked: publishing.seq, nowSeconds: nowSeconds(clock) })
  const components = { clock, rng: cli.rng, log: cli.log('error') }
  await using peer = await cli.factories.lightPeer(components, { network, join, author: author.signer })
  const code =
    draft.folder === undefined ? parseCid(draft.manifest.code as string) : await pack(cli, peer, draft.folder)
  const announcement = signDraft(cli, draft, { signer: author.signer, network, seq, code, replyTo: peer.replyTo() })
  const { id, body } = announcement.signed
  const made = { seq, id: id.toString(), code: code.toString(), expires: body.expires, ports: portsOf(draft) }
  await book.put(name, { ...made, state: 'draft' })
  await peer.announce(announcement, { signal })
  await book.put(name, { ...made, state: 'announced' })
  tellPublished(cli, { announcement, code: code.toString(), seq, name })

  const tally = createTally(out)
  const { wait, timeoutSeconds } = publishing
  const count = () => (wait ? tally.running : tally.holding)
  const verb = wait ? 'run it' : 'hold the archive'
  const through = join.map((address) => ` --join ${address}`).join('')
  const advice = () =>
    `Its code was served from here, and ${tally.holding} of ${replicas} wanted nodes hold it now: publish again until enough do. See it with \`thundercloud status ${name}${through}\`, end it with \`thundercloud stop ${name}${through}\`.`
  using _leave = tellOnLeave(cli, { name, id: made.id, advice })
  using patience = deadline(clock, timeoutSeconds * 1000, new TimeoutError('the time is up'), signal)
  using progress = out.progress(`waiting for nodes that ${verb}`)
  try {
    await follow(cli, peer, {
      service: id,
      code,
      tally,
      patience: patience.signal,
      enough: () => count() >= replicas,
      progress,
    })
  } catch (error) {
    if (!patience.signal.aborted || signal.aborted) throw error
    const after = `after ${formatMs(timeoutSeconds * 1000)}`
    throw new TimeoutError(`${after}, ${count()} of ${replicas} wanted nodes ${verb} (${tally.summary()})`, {
      cause: error,
    })
  }
  out.item(
    { event: wait ? 'running' : 'held', id: made.id, nodes: count() },
    () => `Nodes that ${verb}: ${count()} (wanted: ${replicas}).`,
  )
}

async function pack({ out, signal }: Cli, peer: LightPeer, folder: string): Promise<CID> {
  using _progress = out.progress('packing')
  return (await peer.addFolder(folder, { signal })).code
}

type Following = {
  service: CID
  code: CID
  tally: Tally
  patience: AbortSignal
  progress: { update(text: string): void }
  enough(): boolean
}

/** Listens for receipts, and asks who holds the archive, until there is enough. */
async function follow(cli: Cli, peer: LightPeer, following: Following): Promise<void> {
  const { service, code, tally, patience, enough, progress } = following
  const leave = new AbortController()
  const signal = AbortSignal.any([leave.signal, patience])
  const listen = async () => {
    for await (const receipt of peer.receipts({ signal })) {
      if (receipt.body.service.equals(service)) tally.take(receiptView(receipt))
      if (enough()) leave.abort()
    }
  }
  const look = async () => {
    for (;;) {
      for await (const holder of peer.holders(code, { signal })) {
        tally.hold(holder)
        if (enough()) leave.abort()
      }
      if (enough()) return
      progress.update(tally.summary())
      await sleep(cli.clock, LOOK_MS, { signal })
    }
  }
  const both = await Promise.allSettled([listen(), look()])
  if (enough()) return
  patience.throwIfAborted()
  for (const one of both) if (one.status === 'rejected') throw one.reason
  throw new TimeoutError(`the peer stopped listening (${messageOf(leave.signal.reason)})`)
}
