import { GOSSIP_BATCH_BYTES } from '../constants.ts'

type GossipMessage = { readonly data?: Uint8Array | undefined }
type Rpc = { messages: GossipMessage[]; subscriptions: unknown[] }
/** What gossipsub has and does not declare. */
type Sender = { sendRpc(peer: string, rpc: Rpc): boolean }

/** What a message costs in a frame beside its data: its topic, its tags. */
const OVERHEAD_BYTES = 256

/**
 * gossipsub answers a request for many messages with one frame, however long. Here it is as many frames as it takes for
 * each to be one that neighbours accept.
 */
export function sendInBatches(pubsub: object): void {
  const sender = pubsub as Sender
  const send = sender.sendRpc
  sender.sendRpc = (peer, rpc) => {
    const [last = [], ...before] = batchesOf(rpc.messages ?? []).toReversed()
    for (const messages of before.toReversed()) {
      if (!send.call(sender, peer, { subscriptions: [], messages })) return false
    }
    // what is said besides (grafts, requests, advertisements) goes with the last
    return send.call(sender, peer, before.length === 0 ? rpc : { ...rpc, messages: last })
  }
}

function batchesOf(messages: readonly GossipMessage[]): GossipMessage[][] {
  const batches: GossipMessage[][] = []
  let bytes = Number.POSITIVE_INFINITY
  for (const message of messages) {
    const size = (message.data?.byteLength ?? 0) + OVERHEAD_BYTES
    if (bytes + size > GOSSIP_BATCH_BYTES) {
      batches.push([])
      bytes = 0
    }
    batches.at(-1)?.push(message)
    bytes += size
  }
  return batches
}
