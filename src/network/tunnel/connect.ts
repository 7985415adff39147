import { decodeWelcome, encodeHello, TUNNEL_PROTOCOL, type TunnelHello } from '../../../protocols/streams/tunnel.ts'
import { NotFoundError } from '../../base/errors.ts'
import { sanitizeText } from '../../base/format.ts'
import type { BytePipe, StreamOpener } from '../../base/stream.ts'
import { openTunnel } from './tunnel.ts'

/** A tunnel to a port of a service that a peer runs. Throws a NotFoundError with what the peer said where it opens none. */
export async function connectTunnel(
  streams: StreamOpener,
  peer: string,
  hello: TunnelHello,
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<BytePipe> {
  const stream = await streams.open(peer, TUNNEL_PROTOCOL, { signal })
  try {
    await stream.write(encodeHello(hello), { signal })
    const answer = await stream.read({ signal })
    const welcome = answer === undefined ? undefined : decodeWelcome(answer)
    if (welcome?.is === 'open') return openTunnel(stream)
    throw new NotFoundError(welcome === undefined ? 'the node closed the tunnel' : sanitizeText(welcome.message, 512))
  } catch (error) {
    stream.abort(error instanceof Error ? error : new Error(String(error)))
    throw error
  }
}
