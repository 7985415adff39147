import fc from 'fast-check'
import { accessFor } from '../../../protocols/access.ts'
import { addressBytes } from '../../../protocols/address.ts'
import { type CID, cidOfBytes, cidOfStructure } from '../../../protocols/encoding.ts'
import { CHUNK_BYTES, MAX_CHUNKS, MAX_DEPTH, MAX_LIFETIME_SECONDS } from '../../../protocols/limits.ts'
import { RECEIPT_STATES, type ReceiptBody } from '../../../protocols/receipt.ts'
import { issueTicket, type Reach, type Ticket } from '../../../protocols/redirection.ts'
import { REGISTRY_KINDS } from '../../../protocols/registries.ts'
import type { ServiceBody, Source } from '../../../protocols/service.ts'
import type { Signer } from '../../../protocols/signature.ts'
import type { StopBody } from '../../../protocols/stop.ts'
import type { ArchiveAnswer, ArchiveManifest, ArchiveRequest } from '../../../protocols/streams/archive.ts'
import type { ResultsRequest } from '../../../protocols/streams/results.ts'
import type { StatusAnswer, StatusRequest } from '../../../protocols/streams/status.ts'
import type { SyncAnswer, SyncRequest } from '../../../protocols/streams/sync.ts'
import type { TunnelFrame, TunnelHello, TunnelWelcome } from '../../../protocols/streams/tunnel.ts'
import { blsSignerOf, ISSUED, signerOf } from '../../../scripts/vectors/kit/kit.ts'

const v = fc.constant(1 as const)
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined })

/** One form of a message that says which one it is: `is`, `want` or `type`. */
function form<const Tag extends object, Fields extends object>(
  tag: Tag,
  fields = {} as { [Key in keyof Fields]: fc.Arbitrary<Fields[Key]> },
): fc.Arbitrary<Tag & Fields> {
  return fc.record(fields).map((made) => ({ ...tag, ...(made as Fields) }))
}
export const any = fc.nat(Number.MAX_SAFE_INTEGER)

export function bytes(min: number, max = min) {
  return fc.uint8Array({ minLength: min, maxLength: max })
}

export function text(max: number, min = 0): fc.Arbitrary<string> {
  const unit = fc.constantFrom('a', 'Z', ' ', '\0', '"', '\u00e9', '\ufeff', '\u2028', '\ud83c\udf29', '\u{10ffff}')
  const inBytes = (value: string) => Buffer.byteLength(value) >= min && Buffer.byteLength(value) <= max
  const length = { minLength: min, maxLength: 12 }
  return fc.oneof(fc.string({ unit, ...length }), fc.string({ unit: 'binary', ...length })).filter(inBytes)
}

export const structure: fc.Arbitrary<CID> = bytes(4).map(cidOfStructure)
export const cid: fc.Arbitrary<CID> = fc.oneof(structure, bytes(4).map(cidOfBytes))

/** A few keys of both types: making one costs more than a test case should. */
const SIGNERS: Signer[] = [signerOf('a'), signerOf('b'), signerOf('c'), blsSignerOf('a')]
export const signer = fc.constantFrom(...SIGNERS)
const name = fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,20}$/)
export const address = signer.map((one) => addressBytes(one.address))
const ed25519 = signer.filter((one) => one.address.type === 'ed25519').map((one) => one.address)

export const issued: fc.Arbitrary<{ reach: Reach; ticket: Ticket }> = fc
  .tuple(fc.nat(MAX_DEPTH), bytes(32))
  .map(([depth, secret]) => issueTicket(depth, secret))

const lifetime = fc
  .tuple(fc.nat(2 ** 40), fc.integer({ min: 1, max: MAX_LIFETIME_SECONDS }))
  .map(([start, seconds]) => ({ issued: start, expires: start + seconds }))

export const url = fc.constantFrom('https://a', 'http://[::1]:1/', 'https://git.example.org:65535/a/b?c=%20;d')
const path = optional(fc.constantFrom('a', 'a/b', '...', 'a b/\u00e9'))
const printable = (maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...'aZ0-._@/:+!~'), minLength: 1, maxLength })
const commit = fc.stringMatching(/^([0-9a-f]{40}|[0-9a-f]{64})$/)
const kind = fc.constantFrom(...REGISTRY_KINDS)
const source: fc.Arbitrary<Source> = fc.oneof(
  form({ type: 'mesh' }),
  form({ type: 'git' }, { url, commit, path }),
  form({ type: 'registry' }, { kind, name: printable(99), version: printable(64), path }),
  form({ type: 'https' }, { url, path }),
  form(
    { type: 'oci' },
    { ref: fc.constantFrom('a', 'r.example:1/a/b:1').map((one) => `${one}@sha256:${'0a'.repeat(32)}`) },
  ),
  form({ type: 'inline' }, { bytes: bytes(0, 40) }),
)

const argument = text(60).filter((value) => !value.includes('\0'))
const variable = fc.oneof(
  fc.constantFrom('constructor', 'toString', '__proto', '_'),
  fc.stringMatching(/^[A-Z][A-Z0-9_]{0,9}$/),
)
const number = fc.integer({ min: 1, max: 65_535 })
const port = fc.record({ name, port: number, access: fc.constantFrom('author', 'siblings', 'any', undefined) })
const run: fc.Arbitrary<ServiceBody['run']> = fc.record(
  {
    command: fc.array(argument, { minLength: 1, maxLength: 4 }),
    build: fc.array(argument, { minLength: 1, maxLength: 4 }),
    env: fc.dictionary(variable, argument, { maxKeys: 4, noNullPrototype: true }),
    workdir: fc.constant('a'),
    ports: fc.uniqueArray(port, { maxLength: 3, selector: ({ name }) => name }),
    kind: fc.constantFrom('task', 'service'),
    timeout: fc.integer({ min: 1, max: MAX_LIFETIME_SECONDS }),
    restart: fc.constantFrom('never', 'on-failure', 'always'),
    check: fc.constant({ command: ['true'] }),
  },
  { requiredKeys: ['command', 'kind'] },
)

const positive = any.map((value) => Math.max(1, value))
export const amount = fc.stringMatching(/^(0|[1-9][0-9]{0,9})(\.[0-9]{1,18})?$/)
const replyTo = fc.constant('/dns4/example.org/tcp/1/p2p/12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA')

export function serviceBody(author: Signer, reach: Reach): fc.Arbitrary<ServiceBody> {
  const fields = fc.record({
    v,
    name,
    seq: any,
    title: text(128, 1),
    desc: text(4096),
    keywords: fc.array(text(64, 1), { maxLength: 4 }),
    toolchain: fc.array(text(32, 1), { maxLength: 4 }),
    symbiotes: fc.array(address, { maxLength: 2 }),
    hostchains: fc.array(text(32, 1), { maxLength: 2 }),
    code: cid,
    sources: fc.array(source, { maxLength: 4 }),
    run,
    resources: fc.record({ memory: positive, disk: any, cpu: positive, pids: fc.integer({ min: 1, max: 65_536 }) }),
    network: fc.array(fc.constantFrom('a:1', '*.example.org:65535', '1.2.3.4:443'), { maxLength: 3 }),
    replicas: fc.integer({ min: 1, max: 1024 }),
    reward: optional(fc.record({ asset: text(32, 1), perHour: amount })),
    statements: fc.array(bytes(0, 40), { maxLength: 2 }),
    credentials: fc.array(bytes(0, 40), { maxLength: 2 }),
    replyTo: fc.array(replyTo, { maxLength: 2 }),
  })
  return fc
    .tuple(fields, lifetime)
    .map(([some, times]) => ({ ...some, ...times, author: addressBytes(author.address), reach }))
}

export function stopBody(author: Signer, reach: Reach): fc.Arbitrary<StopBody> {
  return fc.tuple(name, any, lifetime).map(([word, seq, times]) => {
    return { v: 1, author: addressBytes(author.address), name: word, seq, stop: true, ...times, reach }
  })
}

const must = fc.constantFrom('at-most', 'at-least', 'one-of', 'match', 'be')
const need = fc.record({ field: text(64, 1), must, value: text(99) })
const reason = fc.record(
  { rule: text(64, 1), outcome: fc.constantFrom('pass', 'fail', 'defer'), message: text(99), needs: need },
  { requiredKeys: ['rule', 'outcome', 'message'] },
)

export function receiptBody(node: Signer): fc.Arbitrary<ReceiptBody> {
  return fc.record({
    v,
    node: fc.constant(addressBytes(node.address)),
    service: structure,
    state: fc.constantFrom(...RECEIPT_STATES),
    redirected: fc.boolean(),
    reasons: fc.array(reason, { maxLength: 4 }),
    policy: bytes(32),
    at: any,
  }) as fc.Arbitrary<ReceiptBody>
}

const rights = fc.uniqueArray(fc.constantFrom('logs', 'tunnel'), { minLength: 1 })
export const access = fc
  .tuple(structure, ed25519, rights, fc.integer({ min: 1, max: 86_400 }))
  .map(([service, subject, may, left]) => accessFor(service, subject, may, { issued: ISSUED, expires: ISSUED + left }))

export const manifest: fc.Arbitrary<ArchiveManifest> = fc
  .tuple(fc.array(bytes(32), { minLength: 1, maxLength: 4 }), fc.nat(CHUNK_BYTES - 1))
  .map(([chunks, cut]) => ({ v: 1, size: chunks.length * CHUNK_BYTES - cut, chunkSize: CHUNK_BYTES, chunks }))

const range = { first: fc.nat(4095), count: fc.integer({ min: 1, max: 16 }) }
export const archiveRequest: fc.Arbitrary<ArchiveRequest> = fc.oneof(
  form({ v: 1, want: 'manifest' }, { code: cid }),
  form({ v: 1, want: 'chunks' }, { code: cid, ...range, zstd: fc.boolean() }),
)
const failed = form({ is: 'error' }, { message: text(256) })
/** Also the lengths at which the head of a byte string grows, and a whole chunk. */
const chunk = fc.oneof(
  bytes(0, 40),
  fc.constantFrom(255, 256, 65_535, 65_536, CHUNK_BYTES).map((length) => new Uint8Array(length)),
)
export const archiveAnswer: fc.Arbitrary<ArchiveAnswer> = fc.oneof(
  fc.record({ is: fc.constantFrom('bytes' as const, 'zstd' as const), bytes: chunk }),
  failed,
)

const token = optional(bytes(0, 40))
export const statusRequest: fc.Arbitrary<StatusRequest> = fc.oneof(
  form({ v: 1, want: 'receipt' }, { service: structure }),
  form({ v: 1, want: 'logs' }, { service: structure, tail: fc.nat(10_000), follow: fc.boolean(), token }),
)
export const resultsRequest: fc.Arbitrary<ResultsRequest> = fc.oneof(
  form({ v: 1, want: 'receipt' }, { service: structure, token }),
  form({ v: 1, want: 'manifest' }, { service: structure, token }),
  form({ v: 1, want: 'chunk' }, { service: structure, index: fc.nat(MAX_CHUNKS - 1), token }),
)
const end = form({ is: 'end' })
export const statusAnswer: fc.Arbitrary<StatusAnswer> = fc.oneof(
  form({ is: 'receipt' }, { receipt: bytes(0, 40) }),
  form({ is: 'log' }, { stream: fc.constantFrom('out', 'err', 'node'), at: any, line: text(99) }),
  end,
  failed,
)

const items = fc.array(fc.tuple(structure, fc.nat(MAX_DEPTH)), { maxLength: 4 })
const statementItems = fc.array(fc.tuple(structure, address), { maxLength: 4 })
export const syncRequest: fc.Arbitrary<SyncRequest> = fc.oneof(
  form({ v: 1, want: 'list' }, { after: optional(structure) }),
  form({ v: 1, want: 'pull' }, { ids: fc.array(structure, { maxLength: 4 }) }),
  form({ v: 1, want: 'offer' }, { items }),
  form({ v: 1, want: 'tell' }, { announcement: bytes(0, 40) }),
  form({ v: 1, want: 'statements' }, { after: optional(structure) }),
  form({ v: 1, want: 'pull-statements' }, { ids: fc.array(structure, { maxLength: 4 }) }),
)
export const syncAnswer: fc.Arbitrary<SyncAnswer> = fc.oneof(
  form({ is: 'items' }, { items, more: fc.boolean() }),
  form({ is: 'announcement' }, { announcement: bytes(0, 40) }),
  form({ is: 'statements' }, { items: statementItems, more: fc.boolean() }),
  form({ is: 'statement' }, { statement: bytes(0, 40) }),
  end,
  failed,
)

export const tunnelHello: fc.Arbitrary<TunnelHello> = fc.record({ v, service: structure, port: name, token })
export const tunnelWelcome: fc.Arbitrary<TunnelWelcome> = fc.oneof(form({ is: 'open' }), failed)
export const tunnelFrame: fc.Arbitrary<TunnelFrame> = fc.oneof(
  form({ is: 'data' }, { bytes: bytes(1, 40) }),
  form({ is: 'credit' }, { bytes: fc.integer({ min: 1, max: 262_144 }) }),
  end,
  form({ is: 'reset' }, { message: text(256) }),
)
