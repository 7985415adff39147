import {
  type Connection,
  type CreateListenerOptions,
  type DialTransportOptions,
  type Listener,
  type ListenerEvents,
  type Logger,
  type MessageStreamDirection,
  type Transport,
  TypedEventEmitter,
  transportSymbol,
} from '@libp2p/interface'
import { AbstractMultiaddrConnection } from '@libp2p/utils'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import type { Uint8ArrayList } from 'uint8arraylist'
import type { NetworkComponents } from '../../network/index.ts'
import type { NetworkInterface } from './interface.ts'
import type { Address, WireEnd } from './types.ts'

type MakeTransport = NonNullable<NonNullable<NetworkComponents['host']>['transport']>

/** What looks like TCP over IPv4 to a host, and goes over the wire. */
export function simulatedTransport(network: NetworkInterface): MakeTransport {
  return ({ logger }) => {
    const log = logger.forComponent('thundercloud:wire')
    const only = (addresses: Multiaddr[]) => addresses.filter((address) => addressOf(address) !== undefined)
    const transport: Transport = {
      [transportSymbol]: true,
      [Symbol.toStringTag]: 'simulated transport',
      listenFilter: only,
      dialFilter: only,
      async dial(address: Multiaddr, options: DialTransportOptions): Promise<Connection> {
        const to = addressOf(address)
        if (to === undefined) throw new Error(`${address} is no address of the simulated network`)
        const end = await network.connect(to, options)
        const connection = new WireConnection({ end, remoteAddr: address, direction: 'outbound', log })
        try {
          return await options.upgrader.upgradeOutbound(connection, options)
        } catch (error) {
          connection.abort(error as Error)
          throw error
        }
      },
      createListener: (options) => new WireListener(network, log, options),
    }
    return transport
  }
}

class WireListener extends TypedEventEmitter<ListenerEvents> implements Listener {
  readonly #network: NetworkInterface
  readonly #log: Logger
  readonly #options: CreateListenerOptions
  #address: Multiaddr | undefined
  #listening: Disposable | undefined
  #closing = new AbortController()

  constructor(network: NetworkInterface, log: Logger, options: CreateListenerOptions) {
    super()
    this.#network = network
    this.#log = log
    this.#options = options
  }

  async listen(address: Multiaddr): Promise<void> {
    const at = addressOf(address)
    if (at === undefined) throw new Error(`${address} is no address of the simulated network`)
    const { upgrader } = this.#options
    this.#listening = this.#network.listen(at, (end, { host, port }) => {
      const remoteAddr = multiaddr(`/ip4/${host}/tcp/${port}`)
      const connection = new WireConnection({ end, remoteAddr, direction: 'inbound', log: this.#log })
      upgrader
        .upgradeInbound(connection, { signal: this.#closing.signal })
        .catch((error: Error) => connection.abort(error))
    })
    this.#address = address
    this.safeDispatchEvent('listening')
  }

  getAddrs(): Multiaddr[] {
    return this.#address === undefined ? [] : [this.#address]
  }

  updateAnnounceAddrs(): void {}

  async close(): Promise<void> {
    this.#listening?.[Symbol.dispose]()
    this.#address = undefined
    this.#closing.abort()
    this.safeDispatchEvent('close')
  }
}

type ConnectionInit = {
  readonly end: WireEnd
  readonly remoteAddr: Multiaddr
  readonly direction: MessageStreamDirection
  readonly log: Logger
}

class WireConnection extends AbstractMultiaddrConnection {
  readonly #end: WireEnd

  constructor({ end, ...init }: ConnectionInit) {
    super({ ...init, log: init.log.newScope('connection') })
    this.#end = end
    end.handlers = {
      onData: (bytes) => this.onData(bytes),
      onClose: () => this.onTransportClosed(),
      onReset: () => this.onRemoteReset(),
      onDrain: () => this.safeDispatchEvent('drain'),
    }
  }

  sendData(data: Uint8ArrayList) {
    // the sender may reuse its buffers
    return { sentBytes: data.byteLength, canSendMore: this.#end.send(data.slice()) }
  }

  async sendClose(): Promise<void> {
    this.#end.close()
  }

  sendReset(): void {
    this.#end.reset()
  }

  // nothing waits in a receiver of a simulation: the connection's own buffer holds it
  sendPause(): void {}
  sendResume(): void {}
}

/** Of /ip4/.../tcp/..., with what may follow. */
function addressOf(address: Multiaddr): Address | undefined {
  const [host, port] = address.getComponents()
  if (host?.name !== 'ip4' || port?.name !== 'tcp' || host.value === undefined) return undefined
  return { host: host.value, port: Number(port.value) }
}
