import { Socket } from 'node:net'
import type { MultiaddrConnection, Transport, Upgrader } from '@libp2p/interface'
import type { HostParts } from '../types.ts'
import type { Inbound } from './inbound.ts'
import type { TransientBuffers } from './transient-buffers.ts'

type MakeTransport = NonNullable<HostParts['transport']>

/**
 * A transport whose connections each have a slot and a deadline. Where they are TCP sockets, the writes of one turn go
 * out together, and their memory can be given back: noise hands over each frame in pieces; the library writes every piece
 * by itself, and the system calls cost more than the encryption.
 */
export function guardedTransport(make: MakeTransport, buffers: TransientBuffers, inbound: Inbound): MakeTransport {
  return (components) => {
    const transport = make(components)
    const { dial, createListener } = transport
    const joining = (upgrader: Upgrader) => batchingUpgrader(upgrader, buffers, inbound)
    return Object.assign(transport, {
      dial: (address, options) => dial.call(transport, address, { ...options, upgrader: joining(options.upgrader) }),
      createListener: (options) => createListener.call(transport, { ...options, upgrader: joining(options.upgrader) }),
    } satisfies Pick<Transport, 'dial' | 'createListener'>)
  }
}

function batchingUpgrader(upgrader: Upgrader, buffers: TransientBuffers, inbound: Inbound): Upgrader {
  return new Proxy(upgrader, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      if (name !== 'upgradeInbound' && name !== 'upgradeOutbound') return value.bind(target)
      if (name === 'upgradeInbound') {
        return (connection: MultiaddrConnection, options: Parameters<Upgrader['upgradeInbound']>[1]) => {
          join(connection, buffers)
          return inbound(target.upgradeInbound.bind(target), connection, options)
        }
      }
      return (connection: MultiaddrConnection, ...rest: unknown[]) => {
        join(connection, buffers)
        return value.call(target, connection, ...rest)
      }
    },
  })
}

/** What a TCP connection of the library has and does not declare. */
type TcpConnection = {
  readonly socket?: unknown
  onData(read: Uint8Array): void
  sendData(data: Iterable<Uint8Array>): { sentBytes: number; canSendMore: boolean }
}

function join(connection: MultiaddrConnection, buffers: TransientBuffers): void {
  const inner = connection as unknown as TcpConnection
  const { socket } = inner
  if (!(socket instanceof Socket)) return
  const { onData } = inner
  inner.onData = (read) => {
    buffers.ownRead(read)
    onData.call(inner, read)
  }
  inner.sendData = (data) => {
    if (socket.writableCorked === 0) {
      socket.cork()
      process.nextTick(() => socket.uncork())
    }
    let sentBytes = 0
    let canSendMore = true
    for (const piece of data) {
      sentBytes += piece.byteLength
      canSendMore = socket.write(piece, () => buffers.release(piece))
      if (!canSendMore) break
    }
    return { sentBytes, canSendMore }
  }
}
