import type { Address, Incoming, Wire, WireEnd } from './types.ts'

/** What one process of a machine has of the network. */
export interface NetworkInterface {
  listen(address: Address, onConnection: Incoming): Disposable
  connect(to: Address, options: { signal?: AbortSignal | undefined }): Promise<WireEnd>
  /**
   * The process is gone: its kernel resets all its connections, and nothing listens any more. What the process still tries
   * reaches nobody.
   */
  down(): void
}

export function createNetworkInterface(wire: Wire, host: string): NetworkInterface {
  const listening = new Set<Disposable>()
  let ends: WireEnd[] = []
  let isDown = false

  const used = (end: WireEnd) => {
    ends = ends.filter(({ open }) => open)
    ends.push(end)
    return end
  }
  const check = () => {
    if (isDown) throw new Error(`connect ENETDOWN: the process at ${host} is gone`)
  }

  return {
    listen(address, onConnection) {
      check()
      const socket = wire.listen(address, (end, from) => onConnection(used(end), from))
      listening.add(socket)
      return socket
    },
    async connect(to, options) {
      check()
      const end = used(await wire.connect(host, to, options))
      if (isDown) end.reset()
      check()
      return end
    },
    down() {
      isDown = true
      for (const socket of listening) socket[Symbol.dispose]()
      for (const end of ends) {
        const { handlers } = end
        end.reset()
        // the libraries in it let go of it
        handlers?.onReset()
      }
      ends = []
    },
  }
}
