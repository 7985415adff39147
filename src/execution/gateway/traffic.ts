import type { Socket } from 'node:net'

/** Bytes that went through a gateway, seen from the run. */
export type Traffic = { readonly receivedBytes: number; readonly sentBytes: number }

/** Counts what goes through the run's own ends of a gateway's connections. It runs from this folder alone, like the rest of the gateway. */
export interface TrafficMeter {
  /** A socket that the gateway has made in the run's network, or has accepted there. */
  add(socket: Socket): void
  traffic(): Traffic
}

export function createTrafficMeter(): TrafficMeter {
  const open = new Set<Socket>()
  const closed = { receivedBytes: 0, sentBytes: 0 }
  return {
    add(socket) {
      open.add(socket)
      socket.once('close', () => {
        if (!open.delete(socket)) return
        const { receivedBytes, sentBytes } = trafficOf(socket)
        closed.receivedBytes += receivedBytes
        closed.sentBytes += sentBytes
      })
    },
    traffic() {
      const sum = { ...closed }
      for (const socket of open) {
        const { receivedBytes, sentBytes } = trafficOf(socket)
        sum.receivedBytes += receivedBytes
        sum.sentBytes += sentBytes
      }
      return sum
    },
  }
}

/** What waits in the gateway has not arrived. */
function trafficOf({ bytesRead, bytesWritten = 0, writableLength }: Socket): Traffic {
  return { receivedBytes: Math.max(0, bytesWritten - writableLength), sentBytes: bytesRead }
}
