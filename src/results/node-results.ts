import type { ServiceBody } from '../../protocols/service.ts'
import { chunkLength } from '../../protocols/streams/archive.ts'
import { NotFoundError } from '../base/errors.ts'
import type { ChunkReader } from '../code/index.ts'
import { nothingText } from './result-texts.ts'
import type { NodeResults, ResultRecord, Results, ResultsView } from './types.ts'

/** What tasks left here, for the operator of this node. */
export function createNodeResults({
  services,
  results,
}: {
  services: { find(text: string): { id: string; record: { name: string }; signed: { body: Pick<ServiceBody, 'run'> } } }
  results: Pick<Results, 'get' | 'open'>
}): NodeResults {
  function find(text: string): { record: ResultRecord; name: string } {
    const { id, record: service, signed } = services.find(text)
    const record = results.get(id)
    if (record !== undefined) return { record, name: service.name }
    const why =
      signed.body.run.outputs === undefined
        ? 'its manifest has no run.outputs'
        : `it is not done here; \`thundercloud results ${service.name}\` with its author's key fetches them from where it ran`
    throw new NotFoundError(`"${service.name}" has no results on this node: ${why}`)
  }

  async function opened({ service, detail }: ResultRecord): Promise<ChunkReader> {
    const reader = await results.open(service)
    if (reader === undefined) throw new NotFoundError(nothingText(detail))
    return reader
  }

  return {
    get(text) {
      const { record, name } = find(text)
      return viewOf(record, name)
    },
    async read(text, { signal } = {}) {
      const { record } = find(text)
      // what is damaged is said before the first byte
      await using _found = await opened(record)
      return chunksOf(() => opened(record), signal)
    },
  }
}

/** Opens when its first chunk is asked for: a reader that leaves before that leaves nothing open. */
async function* chunksOf(
  open: () => Promise<ChunkReader>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  await using reader = await open()
  for (const index of reader.manifest.chunks.keys()) {
    signal?.throwIfAborted()
    const chunk = new Uint8Array(chunkLength(reader.manifest, index))
    if (await reader.read(index, chunk)) yield chunk
  }
}

function viewOf(
  { service, code, size, files, complete, detail, at, expires }: ResultRecord,
  name: string,
): ResultsView {
  return {
    ...{ service, name, code, bytes: size, files, complete },
    detail: code === undefined ? nothingText(detail) : detail,
    at: Math.floor(at / 1000),
    expires: Math.floor(expires / 1000),
  }
}
