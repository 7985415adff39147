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

/** Where its process may end: before and after a connection is made, and before bytes are sent. */
type CrashPoint = { pass(): void; survives(): boolean }

export function createNetworkInterface(wire: Wire, host: string, process: CrashPoint): NetworkInterface {
  const listening = new Set<Disposable>()
  let ends: WireEnd[] = []
  let isDown = false

  const used = (end: WireEnd) => {
    ends = ends.filter(({ open }) => open)
    ends.push(end)
    return sending(end, process)
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
      process.pass()
      const end = used(await wire.connect(host, to, options))
      if (isDown) end.reset()
      check()
      process.pass()
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

/** An end whose process may be gone when it sends: the libraries that send expect no error. */
function sending(end: WireEnd, process: CrashPoint): WireEnd {
  return {
    send: (bytes) => process.survives() && end.send(bytes),
    close: () => end.close(),
    reset: () => end.reset(),
    get open() {
      return end.open
    },
    get handlers() {
      return end.handlers
    },
    set handlers(handlers) {
      end.handlers = handlers
    },
  }
}
