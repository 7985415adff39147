import { checkAccess } from '../../../protocols/access.ts'
import { addressOfPeerId, decodeAddress, sameAddress } from '../../../protocols/address.ts'
import type { KeyCache } from '../../../protocols/signature.ts'
import { decodeHello, encodeWelcome, type TunnelHello } from '../../../protocols/streams/tunnel.ts'
import { type Clock, nowSeconds } from '../../base/clock.ts'
import { AccessError, messageOf, NotFoundError } from '../../base/errors.ts'
import type { Emitter } from '../../base/events.ts'
import { joinWords, truncateUtf8 } from '../../base/format.ts'
import type { BytePipe, MessageStream } from '../../base/stream.ts'
import type { Services } from '../../services/registry.ts'
import type { NodeEvents } from '../events.ts'

export interface TunnelServerComponents {
  clock: Clock
  keys: KeyCache
  events: Emitter<NodeEvents>
  services: Services
  /** Is a run of it under way here? */
  runs(id: string): boolean
  /** A pipe through the run's gateway to a declared port. */
  connect(id: string, port: string, options: { signal?: AbortSignal | undefined }): Promise<BytePipe>
  /** Does the peer claim a run of the service, as it answers now? */
  isSibling(id: string, peer: string): Promise<boolean>
  /** Carries frames between the stream and the pipe until both ways have ended. */
  carry(stream: MessageStream, pipe: BytePipe): Promise<void>
}

const FOR_SIBLINGS = 'the port is for nodes that run the service, and for those that its author lets in'

type AbortOptions = { signal?: AbortSignal | undefined }

/** Opens ports of running services to peers that may reach them. */
export function createTunnelServer(components: TunnelServerComponents, init: { network: string }) {
  const { clock, keys, services, events } = components

  async function open(hello: TunnelHello, peer: string, signal: AbortSignal | undefined): Promise<BytePipe> {
    const entry = services.get(hello.service.toString())
    if (entry === undefined) throw new NotFoundError('this node does not run the service')
    const { ports = [] } = entry.signed.body.run
    const port = ports.find(({ name }) => name === hello.port)
    if (port === undefined) {
      const names = ports.map(({ name }) => name)
      throw new NotFoundError(
        `the service has no port "${hello.port}"; it has ${names.length > 0 ? joinWords(names) : 'none'}`,
      )
    }
    const author = decodeAddress(entry.signed.body.author)
    const asksAsSibling = hello.token === undefined && !sameAddress(addressOfPeerId(peer), author)
    if (port.access === 'siblings' && asksAsSibling) {
      if (!components.runs(entry.id)) throw new NotFoundError('this node does not run the service')
      if (!(await components.isSibling(entry.id, peer))) throw new AccessError(FOR_SIBLINGS)
    } else if (port.access !== 'any') {
      checkAccess(
        { service: hello.service, author, peer: addressOfPeerId(peer), right: 'tunnel', token: hello.token },
        { network: init.network, keys, nowSeconds: nowSeconds(clock) },
      )
    }
    return await components.connect(entry.id, port.name, { signal })
  }

  return async function serveTunnel(stream: MessageStream, { signal }: AbortOptions = {}): Promise<void> {
    const encoded = await stream.read({ signal })
    if (encoded === undefined) return
    const hello = decodeHello(encoded)
    const detail = { id: hello.service.toString(), port: hello.port, peer: stream.peer }
    let pipe: BytePipe
    try {
      pipe = await open(hello, stream.peer, signal)
    } catch (error) {
      const reason = messageOf(error)
      events.emit('node:tunnel-refused', { ...detail, reason })
      await stream.write(encodeWelcome({ is: 'error', message: truncateUtf8(reason, 512) }))
      await stream.end()
      return
    }
    try {
      await stream.write(encodeWelcome({ is: 'open' }))
      events.emit('node:tunnel-opened', detail)
      await components.carry(stream, pipe)
    } finally {
      pipe.destroy()
    }
  }
}
