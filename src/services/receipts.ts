import {
  type Address,
  addressBytes,
  addressOfPeerId,
  decodeAddress,
  formatAddress,
  peerIdOf,
  sameAddress,
} from '../../protocols/address.ts'
import { encodeCanonical, parseCid } from '../../protocols/encoding.ts'
import { MAX_REASON_LENGTH, MAX_REASONS, MAX_RECEIPT_BYTES } from '../../protocols/limits.ts'
import {
  RECEIPT_PROTOCOL,
  type Receipt,
  type ReceiptBody,
  type ReceiptState,
  signReceipt,
  verifyReceipt,
} from '../../protocols/receipt.ts'
import type { KeyCache, Signer } from '../../protocols/signature.ts'
import { type Clock, nowSeconds } from '../base/clock.ts'
import type { Events } from '../base/events.ts'
import { truncateUtf8 } from '../base/format.ts'
import type { Log } from '../base/log.ts'
import type { Rng } from '../base/rng.ts'
import type { MessageStream, StreamOpener } from '../base/stream.ts'
import type { Reason } from '../base/verdict.ts'
import type { Journal } from '../journal/index.ts'
import type { NetworkEvents } from '../network/index.ts'
import type { ServiceEvents } from './events.ts'
import { createOutbox } from './outbox.ts'
import type { ReceiptView } from './types.ts'

/** Everything of a receipt but its reasons. */
const RECEIPT_FRAME_BYTES = 512

export interface ReceiptsComponents {
  clock: Clock
  rng: Rng
  log: Log
  events: Pick<Events<ServiceEvents & NetworkEvents>, 'emit' | 'on'>
  journal: Pick<Journal, 'receipts' | 'published'>
  keys: KeyCache
  signer: Signer
  streams: StreamOpener
  isConnected(peerId: string): boolean
}

/** What one receipt says, before it is signed. */
export type ReceiptContent = {
  readonly service: string
  readonly state: ReceiptState
  readonly redirected: boolean
  readonly reasons: readonly Reason[]
}

export interface Receipts {
  /** The signed bytes of a receipt of this node. */
  sign(content: ReceiptContent): Uint8Array
  /**
   * Notifies the publisher: over open connections, else by dialling one of `replyTo`; repeated for a day while it is
   * away. A refusal is not worth a new connection: a publisher can ask for it. `onlyConnected`: nor is this, if the
   * publisher is away now. `more`: reasons for the publisher only, read when the receipt is sent. Does not wait; nothing is thrown.
   */
  send(
    content: ReceiptContent,
    to: { replyTo: readonly string[]; author: Address; onlyConnected?: boolean },
    signal: AbortSignal,
    more?: () => Promise<readonly Reason[]>,
  ): void
  /** Handler of the receipt stream: keeps what is signed by the very peer that brings it, about what was published here. */
  take(stream: MessageStream, options?: { signal?: AbortSignal | undefined }): Promise<void>
  views(service: string): ReceiptView[]
}

export function createReceipts(
  components: ReceiptsComponents,
  init: { network: string; policy(): string; closing: AbortSignal },
): Receipts {
  const { clock, journal, keys, signer, streams, events } = components
  const outbox = createOutbox(components, init.closing)
  const back = events.on('network:peer-connected', ({ peer }) => outbox.connected(peer))
  init.closing.addEventListener('abort', () => back[Symbol.dispose](), { once: true })

  /** As many reasons as fit: a runner may give more, and longer ones, than a receipt holds. */
  function fitting(reasons: readonly Reason[]): WireReason[] {
    const fit: WireReason[] = []
    let bytes = 0
    for (const reason of reasons.slice(0, MAX_REASONS).map(onWire)) {
      bytes += encodeCanonical(reason).byteLength
      if (bytes > MAX_RECEIPT_BYTES - RECEIPT_FRAME_BYTES) break
      fit.push(reason)
    }
    return fit
  }

  function sign({ service, state, redirected, reasons }: ReceiptContent): Uint8Array {
    const body = {
      v: 1 as const,
      node: addressBytes(signer.address),
      service: parseCid(service),
      state,
      redirected,
      reasons: fitting(reasons),
      policy: Uint8Array.from(Buffer.from(init.policy(), 'hex')),
      at: nowSeconds(clock),
    }
    return signReceipt(body, init.network, signer)
  }

  async function deliver(receipt: Uint8Array, targets: readonly string[], signal: AbortSignal): Promise<void> {
    let last: unknown
    for (const target of targets) {
      try {
        await using stream = await streams.open(target, RECEIPT_PROTOCOL, { signal })
        await stream.write(receipt, { signal })
        await stream.end()
        // the other side ends when it has read the receipt: only then may the stream go
        await stream.read({ signal })
        return
      } catch (error) {
        last = error
        if (signal.aborted) return
      }
    }
    if (last !== undefined) throw last
  }

  return {
    sign,
    send(content, { replyTo, author, onlyConnected = false }, signal, more) {
      const own = peerIdOf(signer.address)
      const publishers = new Set(replyTo.map(peerOfMultiaddr))
      if (author.type === 'ed25519') publishers.add(peerIdOf(author))
      publishers.delete(own)
      const far = content.state === 'refused' ? [] : replyTo.filter((target) => peerOfMultiaddr(target) !== own)
      const near = () => [...publishers].filter((peer) => components.isConnected(peer))
      const targets = () => {
        const connected = near()
        return connected.length > 0 ? connected : far
      }
      if ((onlyConnected ? near() : targets()).length === 0) return
      outbox.post(content.service, {
        peers: [...publishers],
        again: far.length > 0,
        async deliver() {
          const added = (await more?.()) ?? []
          await deliver(sign({ ...content, reasons: withMore(content.reasons, added) }), targets(), signal)
        },
      })
    },
    async take(stream, { signal } = {}) {
      const encoded = await stream.read({ signal })
      if (encoded === undefined) return
      const receipt = verifyReceipt(encoded, init.network, keys)
      const service = receipt.body.service.toString()
      const signedBy = decodeAddress(receipt.body.node)
      if (!sameAddress(signedBy, addressOfPeerId(stream.peer)) || journal.published.get(service) === undefined) return
      const node = formatAddress(signedBy)
      if (journal.receipts.put({ service, node, at: receipt.body.at, bytes: encoded })) {
        const { state, redirected, reasons } = receipt.body
        events.emit('node:receipt', {
          id: service,
          node,
          state,
          redirected,
          reasons: reasons.map(({ message }) => message),
        })
      }
      await stream.end()
    },
    views: (service) =>
      journal.receipts.ofService(service).map(({ bytes }) => receiptView(verifyReceipt(bytes, init.network, keys))),
  }
}

export function receiptView({ body }: Receipt): ReceiptView {
  const address = decodeAddress(body.node)
  return {
    node: formatAddress(address),
    peerId: peerIdOf(address),
    state: body.state,
    redirected: body.redirected,
    reasons: body.reasons,
    at: body.at,
  }
}

/** The peer id at the end of a `replyTo` multiaddr (its shape is checked with the service). */
export function peerOfMultiaddr(multiaddr: string): string {
  return multiaddr.slice(multiaddr.lastIndexOf('/') + 1)
}

/** Behind what the run says of itself, and before the policy's reasons: a receipt is cut at its end. */
function withMore(reasons: readonly Reason[], added: readonly Reason[]): readonly Reason[] {
  const isOwn = ({ rule }: Reason) => rule.startsWith('run:') || rule.startsWith('code:')
  return [...reasons.filter(isOwn), ...added, ...reasons.filter((reason) => !isOwn(reason))]
}

type WireReason = ReceiptBody['reasons'][number]

/** A runner's sentence may be longer than the wire's; it is cut, never refused. */
function onWire({ rule, outcome, message, needs }: Reason): WireReason {
  const reason = { rule: truncateUtf8(rule, 64), outcome, message: truncateUtf8(message, MAX_REASON_LENGTH) }
  if (needs === undefined) return reason
  return {
    ...reason,
    needs: { ...needs, field: truncateUtf8(needs.field, 64), value: truncateUtf8(needs.value, MAX_REASON_LENGTH) },
  }
}
