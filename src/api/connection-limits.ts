import { isIPv6, type Socket } from 'node:net'

/**
 * Connections without the operator's token, by address. An address has a share; with one more it loses the
 * one that has been idle longest. When all slots are in use, the address with the most loses one. So a
 * new address always gets a connection, and connections that once showed the token are never displaced.
 */
export interface ConnectionLimits {
  add(socket: Socket): void
  /** The operator's from now on. */
  trust(socket: Socket): void
  /** False where its address has as many requests in flight as it may have. `end` when it is answered. */
  begin(socket: Socket): boolean
  end(socket: Socket): void
  readonly size: number
}

export type ConnectionLimitsInit = {
  readonly total: number
  readonly perAddress: number
  readonly requestsPerAddress: number
}

type Group = { readonly sockets: Map<Socket, number>; requests: number }

export function createConnectionLimits({
  total,
  perAddress,
  requestsPerAddress,
}: ConnectionLimitsInit): ConnectionLimits {
  const groups = new Map<string, Group>()
  const homes = new Map<Socket, { key: string; group: Group }>()

  function leave(socket: Socket): void {
    const home = homes.get(socket)
    if (home === undefined) return
    homes.delete(socket)
    home.group.requests -= home.group.sockets.get(socket) ?? 0
    home.group.sockets.delete(socket)
    if (home.group.sockets.size === 0) groups.delete(home.key)
  }

  /** The oldest that waits for nothing, else the oldest. */
  function evict({ sockets }: Group): void {
    const [oldest] = sockets.keys()
    const idle = [...sockets].find(([, requests]) => requests === 0)?.[0]
    const evicted = idle ?? oldest
    if (evicted === undefined) return
    leave(evicted)
    evicted.destroy()
  }

  return {
    get size() {
      return homes.size
    },
    add(socket) {
      const key = addressGroup(socket.remoteAddress ?? '')
      if ((groups.get(key)?.sockets.size ?? 0) >= perAddress) evict(groups.get(key) as Group)
      else if (homes.size >= total) {
        evict([...groups.values()].reduce((most, group) => (group.sockets.size > most.sockets.size ? group : most)))
      }
      const group = groups.get(key) ?? { sockets: new Map(), requests: 0 }
      groups.set(key, group)
      group.sockets.set(socket, 0)
      homes.set(socket, { key, group })
      socket.once('close', () => leave(socket))
    },
    trust: leave,
    begin(socket) {
      const group = homes.get(socket)?.group
      if (group === undefined) return true
      if (group.requests >= requestsPerAddress) return false
      group.requests++
      group.sockets.set(socket, (group.sockets.get(socket) ?? 0) + 1)
      return true
    },
    end(socket) {
      const group = homes.get(socket)?.group
      const requests = group?.sockets.get(socket) ?? 0
      if (group === undefined || requests === 0) return
      group.requests--
      group.sockets.set(socket, requests - 1)
    },
  }
}

/** One machine's addresses: an IPv4 address, or the /64 of an IPv6 address. */
export function addressGroup(address: string): string {
  const four = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (four !== undefined || !isIPv6(address)) return four ?? address
  const [head = '', tail] = (address.split('%')[0] as string).toLowerCase().split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const groups = [
    ...before,
    ...Array<string>(tail === undefined ? 0 : 8 - before.length - after.length).fill('0'),
    ...after,
  ]
  return `${groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')}::/64`
}
