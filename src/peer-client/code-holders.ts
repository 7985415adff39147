import { ARCHIVE_PROTOCOL, codeId, decodeArchiveAnswer, encodeArchiveRequest } from '../../protocols/archive.ts'
import type { CID } from '../../protocols/encoding.ts'
import { createChannel } from '../base/bounded-channel.ts'
import { type Clock, deadline } from '../base/clock.ts'
import { TimeoutError } from '../base/errors.ts'
import type { StreamOpener } from '../base/stream.ts'

/** A peer that does not answer for its record in this time does not hold the code for anyone. */
const ANSWER_MS = 5_000
const MAX_HOLDERS = 4096

export interface CodeHoldersComponents {
  clock: Clock
  streams: StreamOpener
  /** Peers that are said to have it: a record outlives the peer that wrote it by hours. */
  providers(code: CID, options: { signal?: AbortSignal | undefined }): AsyncIterable<string>
}

/** Peers that answer for a code now, as they do. */
export async function* findHolders(
  components: CodeHoldersComponents,
  code: CID,
  options: { signal?: AbortSignal | undefined } = {},
): AsyncGenerator<string> {
  const found = createChannel<string>(MAX_HOLDERS)
  const askAll = async () => {
    const asked: Promise<void>[] = []
    for await (const peer of components.providers(code, options)) {
      const one = holds(components, peer, code, options.signal)
      asked.push(one.then((answer) => (answer ? found.push(peer) : undefined)).catch(() => {}))
    }
    await Promise.all(asked)
  }
  askAll().then(
    () => found.end(),
    (error: unknown) => found.end(error),
  )
  yield* found
}

async function holds(
  { clock, streams }: CodeHoldersComponents,
  peer: string,
  code: CID,
  outer?: AbortSignal,
): Promise<boolean> {
  using limit = deadline(clock, ANSWER_MS, new TimeoutError('the peer did not answer in time'), outer)
  const { signal } = limit
  await using stream = await streams.open(peer, ARCHIVE_PROTOCOL, { signal })
  await stream.write(encodeArchiveRequest({ v: 1, want: 'manifest', code }), { signal })
  const encoded = await stream.read({ signal })
  const answer = encoded === undefined ? undefined : decodeArchiveAnswer(encoded)
  return answer?.is === 'bytes' && codeId(answer.bytes).equals(code)
}
