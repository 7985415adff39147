import { ARCHIVE_PROTOCOL, decodeArchiveRequest } from '../../../protocols/streams/archive.ts'
import type { Clock } from '../../../src/base/clock.ts'
import type { MessageStream } from '../../../src/base/stream.ts'
import { type Code, createCode } from '../../../src/code/index.ts'
import type { NetworkInit } from '../../../src/network/index.ts'
import { MIB, testComponents } from '../../fixtures/code/stores.ts'
import { tempDir } from '../../fixtures/temp-dir.ts'
import type { createNetworks } from '../network/fixtures.ts'

/** What a peer does to a stream before its code part answers it. */
export type Wrap = (stream: MessageStream) => MessageStream

/** A network and a store on loopback, without discovery. */
export async function codePeer(
  all: ReturnType<typeof createNetworks>,
  {
    clock,
    dir,
    wrap = (stream) => stream,
    network: init,
  }: { clock?: Clock; dir?: string; wrap?: Wrap; network?: Partial<NetworkInit> } = {},
) {
  const made = await all.make({ join: false, ...init })
  const { network } = made
  const invalid: string[] = []
  /** The chunks that it was asked for. */
  const asked: number[] = []
  const components = { ...testComponents(), ...(clock && { clock }) }
  const providers = { async *findProviders() {} }
  const onInvalidData = (id: string) => void invalid.push(id)
  const code: Code = all.stack.use(
    await createCode(
      { ...components, streams: network.streams, providers, onInvalidData },
      { dir: dir ?? (await tempDir()), maxBytes: 256 * MIB, self: network.peerId },
    ),
  )
  await network.streams.handle(ARCHIVE_PROTOCOL, (stream) => code.serve(wrap(noting(stream, asked))))
  return { made, network, code, invalid, asked, seen: components.seen }
}

function noting(stream: MessageStream, asked: number[]): MessageStream {
  return changed(stream, {
    async read(options) {
      const bytes = await stream.read(options)
      const request = bytes && decodeArchiveRequest(bytes)
      if (request?.want === 'chunks') asked.push(request.first)
      return bytes
    },
  })
}

/** The stream, with some of what it does done in another way. */
export function changed(stream: MessageStream, change: Partial<MessageStream>): MessageStream {
  return { ...stream, ...change, [Symbol.asyncDispose]: () => stream[Symbol.asyncDispose]() }
}
