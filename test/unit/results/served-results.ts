import { generateKeyPairSync } from 'node:crypto'
import { type AccessRight, accessFor, signAccess } from '../../../protocols/access.ts'
import { addressBytes, formatAddress, peerIdOf } from '../../../protocols/address.ts'
import { type CID, cidOfStructure, sha256 } from '../../../protocols/encoding.ts'
import { CHUNK_BYTES } from '../../../protocols/limits.ts'
import { signReceipt } from '../../../protocols/receipt.ts'
import { createKeyCache, ed25519Signer, type Signer } from '../../../protocols/signature.ts'
import { codeId, encodeManifest } from '../../../protocols/streams/archive.ts'
import type { ResultsRequest } from '../../../protocols/streams/results.ts'
import type { ManualClock } from '../../../src/base/clock.ts'
import type { MessageStream } from '../../../src/base/stream.ts'
import type { Reason } from '../../../src/base/verdict.ts'
import { createResultsServer } from '../../../src/results/index.ts'

export const NETWORK = 'test'
export const NOW = 1_700_000_000
export const signer = () => ed25519Signer(generateKeyPairSync('ed25519').privateKey)
export const [author, node, holder, other] = [signer(), signer(), signer(), signer()]
export const peerOf = ({ address }: Signer) => peerIdOf(address)
export const [SERVICE, ANOTHER] = [cidOfStructure(Uint8Array.of(1)), cidOfStructure(Uint8Array.of(2))]

/** An archive of two chunks; nothing here looks into it. */
export const BYTES = new Uint8Array(CHUNK_BYTES + 10).fill(7)
export const CHUNKS = [BYTES.subarray(0, CHUNK_BYTES), BYTES.subarray(CHUNK_BYTES)]
export const manifest = {
  v: 1,
  size: BYTES.byteLength,
  chunkSize: CHUNK_BYTES,
  chunks: CHUNKS.map((chunk) => sha256(chunk)),
} as const
export const encoded = encodeManifest({ ...manifest, chunks: [...manifest.chunks] })
export const CODE = codeId(encoded)

export function receiptOf(service: CID, reason: Reason, by = node): Uint8Array {
  const body = { v: 1 as const, node: addressBytes(by.address), service, state: 'done' as const, redirected: false }
  return signReceipt({ ...body, reasons: [reason], policy: new Uint8Array(32), at: NOW }, NETWORK, by)
}

export const serve = (stream: MessageStream, clock: ManualClock, options = {}) => serverOf(clock, options)(stream)

export function serverOf(clock: ManualClock, { kept = true, knows = true } = {}) {
  const code = kept ? CODE : undefined
  const record = {
    ...{ v: 1 as const, service: SERVICE.toString(), runId: 'r', author: formatAddress(author.address) },
    ...{ size: 1, files: 1, complete: true, at: 0, expires: 0, code: code?.toString() },
    ...(code === undefined && { detail: 'were kept until yesterday' }),
  }
  const results = {
    get: (id: string) => (id === record.service ? record : undefined),
    open: async () =>
      code && {
        ...{ manifest: { ...manifest, chunks: [...manifest.chunks] }, encoded },
        async read(index: number, bytes: Uint8Array) {
          bytes.set(CHUNKS[index] as Uint8Array)
          return true
        },
        [Symbol.asyncDispose]: async () => {},
      },
  }
  return createResultsServer(
    {
      ...{ clock, keys: createKeyCache(), results },
      authorOf: () => (knows ? addressBytes(author.address) : undefined),
      receipt: (_id, reason) => receiptOf(SERVICE, reason),
    },
    { network: NETWORK },
  )
}

export function tokenOf(
  change: {
    service?: CID
    rights?: AccessRight[]
    by?: Signer
    subject?: Signer
    issued?: number
    expires?: number
  } = {},
) {
  const {
    service = SERVICE,
    rights = ['results'],
    by = author,
    subject = holder,
    issued = NOW - 60,
    expires = NOW + 600,
  } = change
  return signAccess(accessFor(service, subject.address, rights, { issued, expires }), NETWORK, by)
}

export const asked = (want: ResultsRequest['want'], token?: Uint8Array, service = SERVICE): ResultsRequest => {
  const base = { v: 1 as const, service, ...(token !== undefined && { token }) }
  return want === 'chunk' ? { ...base, want, index: 0 } : { ...base, want }
}
