import fc from 'fast-check'
import { decodeAccess, signAccess } from '../../../protocols/access.ts'
import * as announcements from '../../../protocols/announcement.ts'
import { encodeAttestation } from '../../../protocols/attestation.ts'
import { encodeDelegation } from '../../../protocols/delegation.ts'
import { encodeCanonical } from '../../../protocols/encoding.ts'
import { encodeFreeze } from '../../../protocols/freeze.ts'
import { combineSignatures, pinMembers, provePossession } from '../../../protocols/multisig.ts'
import { signReceipt, verifyReceipt } from '../../../protocols/receipt.ts'
import { lowerTicket } from '../../../protocols/redirection.ts'
import { decodeService, encodeService } from '../../../protocols/service.ts'
import { createKeyCache, type Signer, signFor } from '../../../protocols/signature.ts'
import * as statements from '../../../protocols/statement.ts'
import { decodeStop, encodeStop } from '../../../protocols/stop.ts'
import * as archive from '../../../protocols/streams/archive.ts'
import * as results from '../../../protocols/streams/results.ts'
import * as status from '../../../protocols/streams/status.ts'
import * as sync from '../../../protocols/streams/sync.ts'
import * as tunnel from '../../../protocols/streams/tunnel.ts'
import { NETWORK } from '../../../scripts/vectors/kit/kit.ts'
import { MEMBERS, ROOT } from '../../../scripts/vectors/kit/statement-kit.ts'
import * as some from './arbitraries.ts'
import { attestationBody, delegationBody, freezeBody } from './arbitrary-statements.ts'

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

const issuedBy = fc.tuple(some.signer, some.issued)
const serviceBody = issuedBy.chain(([author, { reach }]) => some.serviceBody(author, reach))
const stopBody = issuedBy.chain(([author, { reach }]) => some.stopBody(author, reach))

const signedBody = issuedBy.chain(([author, { reach, ticket }]) => {
  const service = some.serviceBody(author, reach).map(encodeService)
  const stop = some.stopBody(author, reach).map(encodeStop)
  const signed = service.map((bytes) => announcements.signService(bytes, NETWORK, author))
  return fc
    .oneof(
      signed,
      stop.map((bytes) => announcements.signStop(bytes, NETWORK, author)),
    )
    .map((one) => ({ signed: one, ticket }))
})

const announcement = fc.tuple(signedBody, fc.nat(8)).map(([{ signed, ticket }, depth]) => {
  return announcements.encodeAnnouncement({ signed, ticket: lowerTicket(ticket, Math.min(depth, ticket.depth)) })
})

/** One of the three kinds, signed. */
export function statementOf(by: Signer): fc.Arbitrary<statements.Statement> {
  const attestation = attestationBody(by).map(encodeAttestation)
  const others = [freezeBody(by).map(encodeFreeze), delegationBody(by).map(encodeDelegation)]
  return fc.oneof(attestation, ...others).map((bytes) => statements.signStatement(bytes, NETWORK, by))
}

const members = MEMBERS.map((one) => ({ address: one.address, proof: provePossession(one, NETWORK) }))
const pinned = pinMembers({ hub: ROOT, members, threshold: 2 }, NETWORK, keys)
const body = attestationBody({ address: ROOT, sign: (unsigned) => unsigned }).map(encodeAttestation)
const combined = fc.tuple(body, fc.subarray(MEMBERS, { minLength: 2 })).map(([bytes, signers]) => {
  const parts = signers.map((one) => ({ member: one.address, sig: signFor(one, NETWORK, 'attestation', bytes) }))
  const what = { network: NETWORK, kind: 'attestation', bytes }
  const { sig, signers: bitmap } = combineSignatures(pinned, parts, what, keys)
  return statements.encodeStatement(statements.parseStatementBody(bytes, sig, bitmap))
})
/** Made beforehand: three BLS signatures cost more than all else in a case. */
const byMembers = fc.constantFrom(...fc.sample(combined, { numRuns: 20, seed: 1 }))

function rewriteStatement(bytes: Uint8Array): Uint8Array {
  const statement = statements.decodeStatement(bytes)
  statements.verifyStatement(statement, NETWORK, keys, pinned)
  return statements.encodeStatement(statement)
}

export const MESSAGES: Message[] = [
  plain('service', serviceBody, encodeService, decodeService),
  plain('stop', stopBody, encodeStop, decodeStop),
  {
    name: 'announcement',
    bytes: announcement,
    signed: true,
    rewrite(bytes) {
      const read = announcements.decodeAnnouncement(bytes)
      announcements.verifyAnnouncement(read.signed, NETWORK, keys)
      return announcements.encodeAnnouncement(read)
    },
  },
  {
    name: 'receipt',
    bytes: some.signer.chain((node) => some.receiptBody(node).map((receipt) => signReceipt(receipt, NETWORK, node))),
    signed: true,
    rewrite(bytes) {
      const { bytes: receipt, sig } = verifyReceipt(bytes, NETWORK, keys)
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
  {
    name: 'statement',
    bytes: some.signer.chain((by) => statementOf(by)).map(statements.encodeStatement),
    signed: true,
    rewrite: rewriteStatement,
  },
  { name: 'statement of some members', bytes: byMembers, signed: true, rewrite: rewriteStatement },
  plain('manifest', some.manifest, archive.encodeManifest, archive.decodeManifest),
  plain('archive request', some.archiveRequest, archive.encodeArchiveRequest, archive.decodeArchiveRequest),
  plain('archive answer', some.archiveAnswer, archive.encodeArchiveAnswer, archive.decodeArchiveAnswer),
  plain('results request', some.resultsRequest, results.encodeResultsRequest, results.decodeResultsRequest),
  plain('status request', some.statusRequest, status.encodeStatusRequest, status.decodeStatusRequest),
  plain('status answer', some.statusAnswer, status.encodeStatusAnswer, status.decodeStatusAnswer),
  plain('sync request', some.syncRequest, sync.encodeSyncRequest, sync.decodeSyncRequest),
  plain('sync answer', some.syncAnswer, sync.encodeSyncAnswer, sync.decodeSyncAnswer),
  plain('tunnel hello', some.tunnelHello, tunnel.encodeHello, tunnel.decodeHello),
  plain('tunnel welcome', some.tunnelWelcome, tunnel.encodeWelcome, tunnel.decodeWelcome),
  plain('tunnel frame', some.tunnelFrame, tunnel.encodeFrame, tunnel.decodeFrame),
]

function plain<T>(
  name: string,
  value: fc.Arbitrary<T>,
  encode: (value: T) => Uint8Array,
  decode: (bytes: Uint8Array) => T,
): Message {
  return { name, bytes: value.map(encode), rewrite: (bytes) => encode(decode(bytes)) }
}
