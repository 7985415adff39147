/**
 * The wire, for programs that speak it without being a node: read, check, make and sign every message.
 * The specification is `protocols/README.md` in this package; `protocols/vectors` has its cases.
 *
 * @example
 * const announcement = decodeAnnouncement(bytes)
 * verifyAnnouncement(announcement.signed, 'thundercloud', createKeyCache())
 */
export {
  type AccessBody,
  type AccessRight,
  accessFor,
  checkAccess,
  decodeAccess,
  signAccess,
} from '../../protocols/access.ts'
export {
  type Address,
  addressBytes,
  addressKey,
  addressOfPeerId,
  decodeAddress,
  formatAddress,
  formatLegacy,
  isValidKey,
  type KeyType,
  parseAddress,
  peerIdBytes,
  peerIdOf,
  sameAddress,
} from '../../protocols/address.ts'
export {
  type Announcement,
  decodeAnnouncement,
  decodeSigned,
  encodeAnnouncement,
  messageId,
  type Signed,
  servicesTopic,
  signService,
  signStop,
  supersedes,
  timeWindowError,
  unwrapAnnouncement,
  type VersionKey,
  verifyAnnouncement,
} from '../../protocols/announcement.ts'
export {
  type AttestationBody,
  decodeAttestation,
  encodeAttestation,
  SEVERITIES,
  type Severity,
} from '../../protocols/attestation.ts'
export {
  type Claim,
  type ClaimState,
  claimDistance,
  claimOf,
  precedes,
  type RankedClaim,
} from '../../protocols/claims.ts'
export { type DelegationBody, decodeDelegation, encodeDelegation } from '../../protocols/delegation.ts'
export {
  type CID,
  cidOfBytes,
  cidOfDigest,
  cidOfStructure,
  decodeCanonical,
  encodeCanonical,
  fromDagJson,
  isWireCid,
  parseCid,
  toBase32,
  toDagJson,
} from '../../protocols/encoding.ts'
export {
  AddressError,
  EncodingError,
  MembersError,
  ProtocolError,
  SignatureError,
  TicketError,
  TokenError,
} from '../../protocols/errors.ts'
export { decodeFreeze, encodeFreeze, type FreezeBody } from '../../protocols/freeze.ts'
export {
  CHUNK_BYTES,
  CLOCK_SKEW_SECONDS,
  DEDUPE_AFTER_EXPIRY_SECONDS,
  MAX_ACCESS_SECONDS,
  MAX_ANNOUNCEMENT_BYTES,
  MAX_ARCHIVE_ANSWER_BYTES,
  MAX_CHUNKS,
  MAX_CHUNKS_PER_REQUEST,
  MAX_DELEGATION_DEPTH,
  MAX_DEPTH,
  MAX_LIFETIME_SECONDS,
  MAX_MANIFEST_BYTES,
  MAX_MEMBERS,
  MAX_RECEIPT_BYTES,
  MAX_REQUEST_BYTES,
  MAX_STATEMENT_BYTES,
  MAX_STATEMENT_SECONDS,
  MAX_SYNC_ITEMS,
  MAX_TOKEN_BYTES,
  MAX_TUNNEL_FRAME_BYTES,
  TUNNEL_WINDOW_BYTES,
} from '../../protocols/limits.ts'
export {
  combineSignatures,
  type HubMembers,
  hubOf,
  type Member,
  pinMembers,
  provePossession,
} from '../../protocols/multisig.ts'
export {
  RECEIPT_PROTOCOL,
  RECEIPT_STATES,
  type Receipt,
  type ReceiptBody,
  type ReceiptState,
  signReceipt,
  verifyReceipt,
} from '../../protocols/receipt.ts'
export {
  checkTicket,
  emittedDepth,
  issueTicket,
  lowerTicket,
  type Reach,
  type Ticket,
} from '../../protocols/redirection.ts'
export {
  decodeService,
  encodeService,
  type Port,
  type ServiceBody,
  type Source,
  serviceId,
} from '../../protocols/service.ts'
export {
  blsSigner,
  createKeyCache,
  ed25519Signer,
  type KeyCache,
  type Signer,
  signedBytes,
  signFor,
  verifySignature,
} from '../../protocols/signature.ts'
export {
  decodeStatement,
  encodeStatement,
  parseStatementBody,
  recordKey,
  replaces,
  type Statement,
  signerOf,
  signStatement,
  statementId,
  statementSubject,
  statementsTopic,
  verifyStatement,
} from '../../protocols/statement.ts'
export { decodeStop, encodeStop, type StopBody } from '../../protocols/stop.ts'
export {
  ARCHIVE_PROTOCOL,
  type ArchiveAnswer,
  type ArchiveManifest,
  type ArchiveRequest,
  chunkLength,
  codeId,
  decodeArchiveAnswer,
  decodeArchiveRequest,
  decodeManifest,
  encodeArchiveAnswer,
  encodeArchiveRequest,
  encodeManifest,
} from '../../protocols/streams/archive.ts'
export {
  decodeResultsRequest,
  encodeResultsRequest,
  RESULTS_PROTOCOL,
  type ResultsRequest,
  resultsIn,
} from '../../protocols/streams/results.ts'
export {
  decodeStatusAnswer,
  decodeStatusRequest,
  encodeStatusAnswer,
  encodeStatusRequest,
  STATUS_PROTOCOL,
  type StatusAnswer,
  type StatusRequest,
} from '../../protocols/streams/status.ts'
export {
  decodeSyncAnswer,
  decodeSyncRequest,
  encodeSyncAnswer,
  encodeSyncRequest,
  SYNC_PROTOCOL,
  type SyncAnswer,
  type SyncItem,
  type SyncRequest,
} from '../../protocols/streams/sync.ts'
export {
  decodeFrame,
  decodeHello,
  decodeWelcome,
  encodeFrame,
  encodeHello,
  encodeWelcome,
  TUNNEL_PROTOCOL,
  type TunnelFrame,
  type TunnelHello,
  type TunnelWelcome,
} from '../../protocols/streams/tunnel.ts'
