import { Socket } from 'node:net'
import type { MultiaddrConnection, Transport, Upgrader } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'

/**
 * TCP whose writes of one turn go out together. Noise hands over each frame in two pieces and yamux answers each frame
 * with a window update; the library writes every piece by itself, and the system calls cost more than the encryption.
 */
export function joinedTcp(): (components: Parameters<ReturnType<typeof tcp>>[0]) => Transport {
  const make = tcp()
  return (components) => {
    const transport = make(components)
    const { dial, createListener } = transport
    return Object.assign(transport, {
      dial: (address, options) => dial.call(transport, address, { ...options, upgrader: joining(options.upgrader) }),
      createListener: (options) => createListener.call(transport, { ...options, upgrader: joining(options.upgrader) }),
    } satisfies Pick<Transport, 'dial' | 'createListener'>)
  }
}

function joining(upgrader: Upgrader): Upgrader {
  return new Proxy(upgrader, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      if (name !== 'upgradeInbound' && name !== 'upgradeOutbound') return value.bind(target)
      return (connection: MultiaddrConnection, ...rest: unknown[]) => {
        joinWrites(connection)
        return value.call(target, connection, ...rest)
      }
    },
  })
}

/** What a TCP connection of the library has and does not declare. */
type Sending = { readonly socket?: unknown; sendData(data: unknown): unknown }

function joinWrites(connection: MultiaddrConnection): void {
  const sending = connection as unknown as Sending
  const { socket } = sending
  if (!(socket instanceof Socket)) return
  const send = sending.sendData.bind(connection)
  sending.sendData = (data) => {
    if (socket.writableCorked === 0) {
      socket.cork()
      process.nextTick(() => socket.uncork())
    }
    return send(data)
  }
}
