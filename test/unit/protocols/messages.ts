import fc from 'fast-check'
import { decodeAccess, signAccess } from '../../../protocols/access.ts'
import {
  decodeAnnouncement,
  encodeAnnouncement,
  signService,
  signStop,
  verifyAnnouncement,
} from '../../../protocols/announcement.ts'
import {
  decodeArchiveAnswer,
  decodeArchiveRequest,
  decodeManifest,
  encodeArchiveAnswer,
  encodeArchiveRequest,
  encodeManifest,
} from '../../../protocols/archive.ts'
import { encodeCanonical } from '../../../protocols/encoding.ts'
import { openReceipt, signReceipt } from '../../../protocols/receipt.ts'
import { lowerTicket } from '../../../protocols/redirection.ts'
import { decodeService, encodeService } from '../../../protocols/service.ts'
import { createKeyCache } from '../../../protocols/signature.ts'
import {
  decodeStatusAnswer,
  decodeStatusRequest,
  encodeStatusAnswer,
  encodeStatusRequest,
} from '../../../protocols/status.ts'
import { decodeStop, encodeStop } from '../../../protocols/stop.ts'
import { decodeSyncAnswer, decodeSyncRequest, encodeSyncAnswer, encodeSyncRequest } from '../../../protocols/sync.ts'
import {
  decodeFrame,
  decodeHello,
  decodeWelcome,
  encodeFrame,
  encodeHello,
  encodeWelcome,
} from '../../../protocols/tunnel.ts'
import { NETWORK } from '../../../scripts/vectors/kit.ts'
import * as some from './arbitraries.ts'

/** One message of the wire: how to make one, and what reading its bytes and writing the value again gives. */
export type Message = {
  name: string
  bytes: fc.Arbitrary<Uint8Array>
  /** Throws a ProtocolError, or gives the bytes that it would write for what it read. */
  rewrite(bytes: Uint8Array): Uint8Array
  /** No other bytes than those that were signed are accepted. */
  signed?: true
}

const keys = createKeyCache()

const signedBody = fc
  .tuple(some.signer, some.issued)
  .chain(([author, { reach, ticket }]) =>
    fc
      .oneof(some.serviceBody(author, reach).map(encodeService), some.stopBody(author, reach).map(encodeStop))
      .map((body) => ({ author, body, ticket })),
  )

const announcement = fc.tuple(signedBody, fc.nat(8)).map(([{ author, body, ticket }, depth]) => {
  const sign = isStop(body) ? signStop : signService
  return encodeAnnouncement({
    signed: sign(body, NETWORK, author),
    ticket: lowerTicket(ticket, Math.min(depth, ticket.depth)),
  })
})

const body = fc.tuple(some.signer, some.issued)

export const MESSAGES: Message[] = [
  plain(
    'service',
    body.chain(([author, { reach }]) => some.serviceBody(author, reach)),
    encodeService,
    decodeService,
  ),
  plain(
    'stop',
    body.chain(([author, { reach }]) => some.stopBody(author, reach)),
    encodeStop,
    decodeStop,
  ),
  {
    name: 'announcement',
    bytes: announcement,
    signed: true,
    rewrite(bytes) {
      const read = decodeAnnouncement(bytes)
      verifyAnnouncement(read.signed, NETWORK, keys)
      return encodeAnnouncement(read)
    },
  },
  {
    name: 'receipt',
    bytes: some.signer.chain((node) => some.receiptBody(node).map((receipt) => signReceipt(receipt, NETWORK, node))),
    signed: true,
    rewrite(bytes) {
      const { bytes: receipt, sig } = openReceipt(bytes, NETWORK, keys)
      return encodeCanonical({ body: receipt, sig })
    },
  },
  {
    name: 'access token',
    bytes: fc.tuple(some.access, some.signer).map(([token, author]) => signAccess(token, NETWORK, author)),
    rewrite(bytes) {
      const { body: token, sig } = decodeAccess(bytes)
      return encodeCanonical({ body: encodeCanonical(token), sig })
    },
  },
  plain('manifest', some.manifest, encodeManifest, decodeManifest),
  plain('archive request', some.archiveRequest, encodeArchiveRequest, decodeArchiveRequest),
  plain('archive answer', some.archiveAnswer, encodeArchiveAnswer, decodeArchiveAnswer),
  plain('status request', some.statusRequest, encodeStatusRequest, decodeStatusRequest),
  plain('status answer', some.statusAnswer, encodeStatusAnswer, decodeStatusAnswer),
  plain('sync request', some.syncRequest, encodeSyncRequest, decodeSyncRequest),
  plain('sync answer', some.syncAnswer, encodeSyncAnswer, decodeSyncAnswer),
  plain('tunnel hello', some.tunnelHello, encodeHello, decodeHello),
  plain('tunnel welcome', some.tunnelWelcome, encodeWelcome, decodeWelcome),
  plain('tunnel frame', some.tunnelFrame, encodeFrame, decodeFrame),
]

function plain<T>(
  name: string,
  value: fc.Arbitrary<T>,
  encode: (value: T) => Uint8Array,
  decode: (bytes: Uint8Array) => T,
): Message {
  return { name, bytes: value.map(encode), rewrite: (bytes) => encode(decode(bytes)) }
}

function isStop(encoded: Uint8Array): boolean {
  try {
    return decodeStop(encoded).stop
  } catch {
    return false
  }
}
