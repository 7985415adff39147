import { resolve } from 'node:path'
import { addressOfPeerId } from '../../../protocols/address.ts'
import { parseCid } from '../../../protocols/encoding.ts'
import { AddressError } from '../../../protocols/errors.ts'
import { InputError } from '../../base/errors.ts'
import { createEvents } from '../../base/events.ts'
import { formatBytes, howMany, sanitizeText } from '../../base/format.ts'
import { silentLog } from '../../base/log.ts'
import { keyOption } from '../author.ts'
import type { Cli } from '../cli.ts'
import { accessOption } from '../client/access-token.ts'
import { argument, command, text, texts } from '../command.ts'
import { checkNewPath } from '../new-path.ts'
import { type FoundResults, findResults } from '../service-versions/find-results.ts'
import { targetAtNode, targetByPeer } from '../service-versions/service-target.ts'

export const results = command({
  name: 'results',
  summary: 'Fetch the files that a task left, which its run.outputs name',
  details:
    "Of a name, the newest version that is done somewhere. From other nodes, only the task's author can fetch them, and whoever has a token of the author's (--access). What comes is compared with the content id that the node has signed before the folder appears. A node keeps results for a time only: LIMITS.RESULTS.",
  args: { service: argument('SERVICE', 'an id, the beginning of one, or a name') },
  options: {
    node: text(
      'PEER',
      'the node to fetch from, by its peer id, where several ran it (default: the first that has them)',
    ),
    to: text('DIR', 'the new folder to write (default: NAME-results, in the current folder)'),
    join: texts('MULTIADDR', 'without a node, through this one of the mesh; may be repeated'),
    network: text('NAME', 'with --join: the network'),
    key: keyOption,
    access: accessOption,
  },
  async run(cli, { service, node, to, join, network, key, access: file }) {
    const path = resolve(cli.cwd, to ?? `${sanitizeText(service, 64).replaceAll('/', '-')}-results`)
    // before anything is fetched
    if (node !== undefined) checkPeerId(node)
    await checkNewPath(path)
    await using stack = new AsyncDisposableStack()
    const access = { file, right: 'results' } as const
    const target =
      join.length === 0
        ? await targetAtNode(cli, stack, { service, key, access })
        : await targetByPeer(cli, stack, { service, join, network, key, access })
    const found = stack.use(await findResults(cli, target, { node }))
    const saved = await save(cli, found, path)
    const { id, seq, peerId, code, detail } = found
    cli.out.result({ service: id, seq, peerId, code, path, ...saved, detail }, () => {
      const from = peerId === undefined ? 'this node' : peerId
      return [
        `${path}: ${howMany(saved.files ?? 0, 'file', 'files')}, ${formatBytes(saved.bytes)}, from ${from}`,
        ...(detail === undefined ? [] : [`Not all is there: ${detail}.`]),
      ]
    })
  },
})

function checkPeerId(text: string): void {
  try {
    addressOfPeerId(text, '--node')
  } catch (error) {
    if (!(error instanceof AddressError)) throw error
    throw new InputError(
      `--node is ${JSON.stringify(sanitizeText(text, 80))}; allowed is a peer id, like 12D3KooW...`,
      { cause: error },
    )
  }
}

async function save(cli: Cli, { code, bytes, tar }: FoundResults, target: string) {
  const { saveArchive } = await import('../../code/index.ts')
  const progress = cli.out.progress('reading')
  using _progress = progress
  const components = { clock: cli.clock, log: silentLog(), events: createEvents(() => {}) }
  const counted = countedAs(tar, (done) => progress.bytes(done, bytes))
  return await saveArchive(
    components,
    { code: parseCid(code), tar: counted, target, as: 'folder' },
    { signal: cli.signal },
  )
}

async function* countedAs(pieces: AsyncIterable<Uint8Array>, report: (bytes: number) => void) {
  let bytes = 0
  for await (const piece of pieces) {
    bytes += piece.byteLength
    report(bytes)
    yield piece
  }
}
