import { z } from 'zod'
import { type Address, decodeAddress, sameAddress } from './address.ts'
import { type AttestationBody, attestationSchema } from './attestation.ts'
import { type DelegationBody, delegationSchema } from './delegation.ts'
import { type CID, cidOfStructure, compareBytes, decodeCanonical, sha256, toBase32 } from './encoding.ts'
import { MembersError, ProtocolError } from './errors.ts'
import { type FreezeBody, freezeSchema } from './freeze.ts'
import { MAX_STATEMENT_BYTES } from './limits.ts'
import type { HubMembers } from './multisig.ts'
import { bytes, checkSize, decodeWith, encodeWith, parseWith } from './schema.ts'
import { type KeyCache, type Signer, signFor, verifySignature } from './signature.ts'

const signedSchema = z.strictObject({
  body: bytes(),
  sig: bytes(),
  /** which members signed for a BLS hub; absent = the hub's own key did */
  signers: bytes().optional(),
})

type SignedBytes = { readonly bytes: Uint8Array; readonly sig: Uint8Array; readonly signers?: Uint8Array | undefined }
/** A signed statement, as it was read; `bytes` are those of the body. */
export type Statement = SignedBytes &
  (
    | { readonly kind: 'attestation'; readonly body: AttestationBody }
    | { readonly kind: 'freeze'; readonly body: FreezeBody }
    | { readonly kind: 'delegation'; readonly body: DelegationBody }
  )

/** `/thundercloud/<network>/statements/1` */
export function statementsTopic(network: string): string {
  return `/thundercloud/${network}/statements/1`
}

/** The form on the wire, in staples and in the DHT: dag-cbor `{ body, sig, signers? }`. */
export function encodeStatement({ bytes: body, sig, signers }: SignedBytes): Uint8Array {
  return encodeWith(signedSchema, { body, sig, signers }, MAX_STATEMENT_BYTES)
}

/** Names the bytes that travel, not what they say: sync asks for them by it. */
export function statementId(encoded: Uint8Array): CID {
  return cidOfStructure(encoded)
}

/** Shape and limits; not yet the signature (`verifyStatement`), nor the time (`timeWindowError`). */
export function decodeStatement(encoded: Uint8Array): Statement {
  const { body, sig, signers } = decodeWith(signedSchema, encoded, MAX_STATEMENT_BYTES)
  const statement = parseStatementBody(body, sig, signers)
  if (signers !== undefined && (statement.kind === 'delegation' || signerOf(statement).type === 'ed25519')) {
    throw new ProtocolError('signers', 'stands only in the statement of a BLS12-381 hub')
  }
  return statement
}

/** Reads the body: its keys say what it is. */
export function parseStatementBody(encoded: Uint8Array, sig: Uint8Array, signers?: Uint8Array): Statement {
  checkSize(encoded, MAX_STATEMENT_BYTES, 'body')
  const value = decodeCanonical(encoded, 'body')
  const signed = { bytes: encoded, sig, ...(signers === undefined ? {} : { signers }) }
  if (has(value, 'code')) return { kind: 'attestation', body: parseWith(attestationSchema, value, 'body'), ...signed }
  if (has(value, 'address')) return { kind: 'freeze', body: parseWith(freezeSchema, value, 'body'), ...signed }
  if (has(value, 'subject')) return { kind: 'delegation', body: parseWith(delegationSchema, value, 'body'), ...signed }
  throw new ProtocolError('body', 'is no attestation, freeze statement or delegation')
}

/** Signs a body with the one key that it names. */
export function signStatement(body: Uint8Array, network: string, signer: Signer): Statement {
  const { kind } = parseStatementBody(body, new Uint8Array())
  return parseStatementBody(body, signFor(signer, network, kind, body))
}

/**
 * Throws a SignatureError unless the hub or issuer signed this for this network. Some members' signature counts only
 * with `pinned`, and is a MembersError otherwise.
 */
export function verifyStatement(statement: Statement, network: string, keys: KeyCache, pinned?: HubMembers): void {
  verifySignature(keys, {
    network,
    kind: statement.kind,
    who: statement.kind === 'delegation' ? 'issuer' : 'hub',
    address: verifyingKey(statement, pinned),
    bytes: statement.bytes,
    signature: statement.sig,
  })
}

/** The signer: the hub, or the issuer of a delegation. */
export function signerOf(statement: Statement): Address {
  return statement.kind === 'delegation'
    ? decodeAddress(statement.body.issuer, 'body.issuer')
    : decodeAddress(statement.body.hub, 'body.hub')
}

/** One text for all statements of which only the latest is in force: of one hub on one code, and so on. */
export function statementSubject({ kind, body }: Statement): string {
  switch (kind) {
    case 'attestation':
      return attestationSubject(body.code, body.hub)
    case 'freeze':
      return `freeze/${toBase32(body.address)}/${toBase32(body.hub)}/${body.chain}`
    case 'delegation':
      return `trust/${toBase32(body.issuer)}/${toBase32(body.subject)}`
  }
}

/** The subject of what a hub (address bytes) says of a code, whatever it says. */
export function attestationSubject(code: CID, hub: Uint8Array): string {
  return `attest/${toBase32(code.bytes)}/${toBase32(hub)}`
}

/** Where the DHT keeps it; freeze statements have no record there. */
export function recordKey(statement: Statement): string | undefined {
  return statement.kind === 'freeze' ? undefined : `/${statementSubject(statement)}`
}

/**
 * Does `a` take the place of `b`? Of one subject: the higher seq; then `unsafe` or `revoked`; then the smaller sha256 of
 * the body. Another subject, and the same body, never do.
 */
export function replaces(a: Statement, b: Statement): boolean {
  if (statementSubject(a) !== statementSubject(b)) return false
  if (a.body.seq !== b.body.seq) return a.body.seq > b.body.seq
  if (forbids(a) !== forbids(b)) return forbids(a)
  return compareBytes(sha256(a.bytes), sha256(b.bytes)) < 0
}

function forbids({ kind, body }: Statement): boolean {
  return (kind === 'attestation' && body.verdict === 'unsafe') || (kind === 'delegation' && body.revoked === true)
}

function verifyingKey(statement: Statement, pinned: HubMembers | undefined): Address {
  const signer = signerOf(statement)
  if (statement.signers === undefined) return signer
  if (pinned === undefined || !sameAddress(pinned.hub, signer)) {
    throw new MembersError('signers', 'some members signed for the hub, and its members are not pinned here')
  }
  return pinned.keyOf(statement.signers)
}

function has(value: unknown, key: string): boolean {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
}
