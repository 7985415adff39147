import { resolve } from 'node:path'
import { isImageCid, parseCid } from '../../../../protocols/encoding.ts'
import type { ApiClient } from '../../../api/client/client.ts'
import { InputError, NotFoundError } from '../../../base/errors.ts'
import { createEvents } from '../../../base/events.ts'
import { formatBytes, howMany } from '../../../base/format.ts'
import { silentLog } from '../../../base/log.ts'
import type { CodeView } from '../../../node/types.ts'
import type { Cli } from '../../cli.ts'
import { nodeClient } from '../../client/node-client.ts'
import { argument, command, flag, optionalArgument } from '../../command.ts'
import { checkNewPath } from '../../new-path.ts'

export const codeGet = command({
  name: 'code get',
  summary: 'Write code into a new folder or tar file; the node fetches what it does not have',
  details: 'The files are compared with the content id before they appear.',
  args: {
    code: argument('CODE', 'a content id, or the beginning of one'),
    target: optionalArgument(
      'PATH',
      'where to write it; a name that ends in .tar writes the tar (default: the content id)',
    ),
  },
  options: { tar: flag('write the canonical tar instead of a folder') },
  async run(cli, { code, target, tar }) {
    const client = await nodeClient(cli)
    const as = tar || target?.endsWith('.tar') === true ? 'tar' : 'folder'
    // where the name is given, it is refused before anything is fetched
    if (target !== undefined) await checkNewPath(resolve(cli.cwd, target))
    const view = await obtain(cli, client, code)
    const path = resolve(cli.cwd, target ?? `${view.code}${as === 'tar' ? '.tar' : ''}`)
    await checkNewPath(path)
    const { saveArchive } = await import('../../../code/index.ts')
    const progress = cli.out.progress('reading')
    using _progress = progress
    const saved = await saveArchive(
      { clock: cli.clock, log: silentLog(), events: createEvents(() => {}) },
      {
        code: parseCid(view.code),
        tar: counted(client.code.archive(view.code, { signal: cli.signal }), (done) =>
          progress.bytes(done, view.bytes),
        ),
        target: path,
        as,
      },
      { signal: cli.signal },
    )
    const files = saved.files === undefined ? '' : `, ${howMany(saved.files, 'file', 'files')}`
    cli.out.result({ code: view.code, path, as, ...saved }, () => [`${path}: ${formatBytes(saved.bytes)}${files}`])
  },
})

function isImage(code: string): boolean {
  try {
    return isImageCid(parseCid(code))
  } catch {
    // the beginning of one, which the node knows or does not
    return false
  }
}

/** What the node has of it, once it has all of it. */
async function obtain(
  { out, signal }: Pick<Cli, 'out' | 'signal'>,
  client: ApiClient,
  code: string,
): Promise<CodeView> {
  const known = await client.code.get(code, { signal }).catch((error: unknown) => {
    if (error instanceof NotFoundError) return undefined
    throw error
  })
  const id = known?.code ?? code
  if (isImage(id))
    throw new InputError(`the code ${id} is a Docker image, not a folder; \`docker save\` writes it where it runs`)
  if (known?.state === 'complete') return known
  const progress = out.progress(`the node fetches ${id}, for a minute at most`, { plain: true })
  using _progress = progress
  const onProgress = ({ bytes, size }: { bytes: number; size: number }) => progress.bytes(bytes, size)
  return await client.code.fetch(id, { signal, onProgress })
}

async function* counted(
  pieces: AsyncIterable<Uint8Array>,
  report: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  let bytes = 0
  for await (const piece of pieces) {
    bytes += piece.byteLength
    report(bytes)
    yield piece
  }
}
