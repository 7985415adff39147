import { parseCid } from '../../../protocols/encoding.ts'
import type { ApiClient } from '../../api/client/client.ts'
import { printable } from '../../base/text.ts'
import type { LogLine, ServiceView } from '../../node/contract.ts'
import { findAuthor, keyOption } from '../author.ts'
import type { Cli } from '../cli.ts'
import { argument, command, flag, text, texts, whole } from '../command.ts'
import { daemonOf } from '../daemon.ts'
import { lightPeerFor } from '../light.ts'
import { clockTime } from '../text.ts'

/** Longer than any line that a node keeps. */
const MAX_LINE = 20_000
/** States of a receipt whose sender has or had a run. */
const HAS_RUN = ['accepted', 'running', 'done', 'failed', 'stopped']

export const logs = command({
  name: 'logs',
  summary: 'What a service wrote, while it runs and afterwards',
  args: { service: argument('SERVICE', 'an id, the beginning of one, or a name') },
  options: {
    follow: flag('go on with what comes', '-f'),
    tail: whole('COUNT', 'lines from the end to begin with', { min: 0, max: 10_000, fallback: 100 }),
    timestamps: flag('when each line was written (UTC)', '-t'),
    join: texts('MULTIADDR', 'read them at the node that runs it, through this one of the mesh; may be repeated'),
    network: text('NAME', 'with --join: the network'),
    key: keyOption,
  },
  async run(cli, { service, follow, tail, timestamps, join, network, key }) {
    const options = { follow, tail, signal: cli.signal }
    if (join.length === 0) {
      const client = await daemonOf(cli)
      const view = await client.service(service, { signal: cli.signal })
      if (view.run !== undefined) return await print(cli, client.logs(view.id, options), timestamps)
      return await print(cli, atOtherNodes(cli, client, { view, key, tail, follow }), timestamps)
    }
    await using target = await lightPeerFor(cli, { service, join, network, key })
    await print(cli, target.peer.logs(target.service, options), timestamps)
  },
})

/** Through the node, at those nodes that told of a run: the author's key opens what is the author's. */
async function* atOtherNodes(
  cli: Cli,
  client: ApiClient,
  { view, key, tail, follow }: { view: ServiceView; key: string | undefined; tail: number; follow: boolean },
): AsyncGenerator<LogLine> {
  const { network, multiaddrs } = await client.node({ signal: cli.signal })
  const author = await findAuthor(cli, key)
  const init = { network, join: multiaddrs, author: author?.signer }
  await using peer = await cli.factories.lightPeer({ clock: cli.clock, rng: cli.rng, log: cli.log('error') }, init)
  const peers = view.receipts.filter(({ state }) => HAS_RUN.includes(state)).map(({ peerId }) => peerId)
  yield* peer.logs(parseCid(view.id), { tail, follow, peers, signal: cli.signal })
}

async function print({ out }: Cli, lines: AsyncIterable<LogLine>, timestamps: boolean): Promise<void> {
  for await (const line of lines) {
    const time = timestamps ? `${clockTime(line.at)} ` : ''
    const origin = line.stream === 'node' ? '[node] ' : ''
    out.item({ stream: line.stream, at: line.at, line: line.line }, () => `${time}${origin}${clean(line.line)}`)
  }
}

/** A service's output is somebody else's text: it may be indented, and nothing more. */
function clean(line: string): string {
  return line
    .split('\t')
    .map((part) => printable(part, MAX_LINE))
    .join('\t')
}
