import { sanitizeText } from '../../base/format.ts'
import { keyOption } from '../author.ts'
import type { Cli } from '../cli.ts'
import { accessOption } from '../client/access-token.ts'
import { argument, command, flag, text, texts, whole } from '../command.ts'
import { clockTime } from '../output/text.ts'
import { type ReadLine, readLogs } from '../service-versions/read-logs.ts'
import { targetAtNode, targetByPeer } from '../service-versions/service-target.ts'

/** Longer than any line that a node keeps. */
const MAX_LINE = 20_000
export const logs = command({
  name: 'logs',
  summary: 'What a service wrote, while it runs and afterwards',
  details:
    'Reads the log of every run, on every node: all versions of a name, or the one version that an id names. Only the author of a service can read its logs on other nodes, and whoever has a token from the author (--access).',
  args: { service: argument('SERVICE', 'an id, the beginning of one, or a name') },
  options: {
    follow: flag('follow the log: print new lines as they come', '-f'),
    tail: whole('COUNT', 'how many of the newest lines to print first', { min: 0, max: 10_000, fallback: 100 }),
    timestamps: flag('when each line was written (UTC)', '-t'),
    join: texts('MULTIADDR', 'without a node, through this one of the mesh; may be repeated'),
    network: text('NAME', 'with --join: the network'),
    key: keyOption,
    access: accessOption,
  },
  async run(cli, { service, follow, tail, timestamps, join, network, key, access: file }) {
    await using stack = new AsyncDisposableStack()
    const access = { file, right: 'logs' } as const
    const target =
      join.length === 0
        ? await targetAtNode(cli, stack, { service, key, access })
        : await targetByPeer(cli, stack, { service, join, network, key, access })
    await print(cli, readLogs(cli, target, { follow, tail }), timestamps)
  },
})

async function print({ out }: Cli, lines: AsyncIterable<ReadLine>, timestamps: boolean): Promise<void> {
  for await (const line of lines) {
    const time = timestamps ? `${clockTime(line.at)} ` : ''
    const origin = line.stream === 'node' ? '[node] ' : ''
    out.item(line, () => `${time}${origin}${clean(line.line)}`)
  }
}

/** A service's output is untrusted text: it may be indented, and nothing more. */
function clean(line: string): string {
  return line
    .split('\t')
    .map((part) => sanitizeText(part, MAX_LINE))
    .join('\t')
}
