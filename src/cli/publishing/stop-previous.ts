import { encodeAnnouncement } from '../../../protocols/announcement.ts'
import { parseCid } from '../../../protocols/encoding.ts'
import type { ApiClient } from '../../api/client/client.ts'
import { deadline, sleep } from '../../base/clock.ts'
import { TimeoutError } from '../../base/errors.ts'
import type { LightPeer } from '../../light-peer/types.ts'
import type { ServiceView } from '../../node/types.ts'
import type { Author, PublishedEntry } from '../author.ts'
import type { Cli } from '../cli.ts'
import { signServiceStop } from './sign-stop.ts'

/** So long the version before may take to end, everywhere; then the next one is published nevertheless. */
const PATIENCE_MS = 30_000
const LOOK_MS = 300

type Stopping = { readonly author: Author; readonly network: string; readonly name: string }

/** Stops the current version of a name, and waits until the nodes that ran it report its end. */
export async function stopPreviousAtNode(
  cli: Cli,
  client: ApiClient,
  { known, ...stopping }: Stopping & { known: readonly ServiceView[] },
): Promise<void> {
  const current = known.filter(({ state }) => state !== 'stopped' && state !== 'expired')
  if (current.length === 0) return
  const seq = Math.max(...current.map((view) => view.seq))
  await client.announce(encodeAnnouncement(signServiceStop(cli, stopping.author, { ...stopping, seq })), {
    signal: cli.signal,
  })
  await untilEnded(cli, stopping.name, async (signal) => {
    const views = await Promise.all(current.map(({ id }) => client.service(id, { signal })))
    return !views.some((view) => isActive(view.state) || view.receipts.some(({ state }) => isActive(state)))
  })
}

/** The same without a node: those that can be found are asked. */
export async function stopPreviousByPeer(
  cli: Cli,
  peer: LightPeer,
  { entry, ...stopping }: Stopping & { entry: PublishedEntry | undefined },
): Promise<void> {
  if (entry === undefined || entry.state === 'stopped') return
  await peer.announce(signServiceStop(cli, stopping.author, { ...stopping, seq: entry.seq }), { signal: cli.signal })
  await untilEnded(cli, stopping.name, async (signal) => {
    for await (const { body } of peer.ask(parseCid(entry.id), { signal })) if (isActive(body.state)) return false
    return true
  })
}

async function untilEnded(cli: Cli, name: string, ended: (signal: AbortSignal) => Promise<boolean>): Promise<void> {
  using patience = deadline(cli.clock, PATIENCE_MS, new TimeoutError('the time is up'), cli.signal)
  using _progress = cli.out.progress('waiting for the previous version to end')
  try {
    while (!(await ended(patience.signal))) await sleep(cli.clock, LOOK_MS, { signal: patience.signal })
  } catch (error) {
    if (!patience.signal.aborted || cli.signal.aborted) throw error
    cli.out.note(`The previous version of "${name}" has not ended everywhere; the next one is published anyway.`)
  }
}

function isActive(state: string): boolean {
  return state === 'running' || state === 'accepted'
}
