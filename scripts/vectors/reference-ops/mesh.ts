import { zstdDecompressSync } from 'node:zlib'
import { addressOfPeerId } from '../../../protocols/address.ts'
import { type Claim, claimDistance, claimOf, precedes } from '../../../protocols/claims.ts'
import { parseCid } from '../../../protocols/encoding.ts'
import { ProtocolError } from '../../../protocols/errors.ts'
import { verifyReceipt } from '../../../protocols/receipt.ts'
import { createKeyCache } from '../../../protocols/signature.ts'
import { replaces } from '../../../protocols/statement.ts'
import { decodeFrame } from '../../../protocols/streams/tunnel.ts'
import { createTunnelCredit } from '../../../protocols/streams/tunnel-credit.ts'
import { keyOf } from '../../../src/base/lru-map.ts'
import { unpackLimits } from '../../../src/code/archive/zstd.ts'
import { decideForward } from '../../../src/intake/forwarding-rules.ts'
import { LengthPrefixedDecoder } from '../../../src/network/streams/length-prefixed-decoder.ts'
import { type IndexedStatement, indexedStatementOf } from '../../../src/trust/statements/indexed-statement.ts'
import { buildTree, type Link, linkOf, pathTo } from '../../../src/trust/tree/tree.ts'
import type { Op } from '../kit/kit.ts'
import { hex, type Json, unhex } from '../kit/kit.ts'

type Fields = { [field: string]: Json }

export const meshOps: Record<string, Op> = {
  'stream.read': ({ bytes, longest }) => {
    const reader = new LengthPrefixedDecoder(Number(longest))
    const problem = reader.add(unhex(bytes)) ?? (reader.incomplete ? 'the stream ends inside a message' : undefined)
    if (problem !== undefined) throw new ProtocolError('', problem)
    const messages: string[] = []
    for (let one = reader.take(); one !== undefined; one = reader.take()) messages.push(hex(one))
    return { messages }
  },
  'tunnel.session': ({ frames }) => {
    const credit = createTunnelCredit()
    for (const frame of frames as Fields[]) {
      if (frame.received === undefined) credit.sent(frameOf(frame.sent))
      else credit.received(frameOf(frame.received))
    }
    return { left: credit.left, window: credit.window }
  },
  'archive.unzstd': ({ bytes, length }) => {
    try {
      const chunk = zstdDecompressSync(unhex(bytes), unpackLimits(Number(length)))
      if (chunk.byteLength !== Number(length)) throw new TypeError('of another length')
      return { chunk: hex(chunk) }
    } catch (cause) {
      throw new ProtocolError('', 'is no zstd frame of this chunk', { cause })
    }
  },
  'gate.answer': ({ depth, genuine, ours, now, state }) => {
    const { best, redirect, emitted, over: ended, ...rest } = state as Fields
    const known = { best: best ?? undefined, redirect: redirect ?? undefined, emitted: emitted ?? undefined, ended }
    const incoming =
      genuine === false ? { valid: false } : { valid: true, depth: Number(depth), sameSignature: ours === true }
    const answer = decideForward(
      { ...rest, ...known } as Parameters<typeof decideForward>[0],
      incoming as never,
      Number(now),
    )
    if (answer === 'hold') throw new TypeError('a vector must not ask for what is a node\u2019s own patience')
    return { answer }
  },
  'delegation.chain': ({ links, roots, address, now }) => {
    const tree = buildTree(linksOf(links as string[]), rootsOf(roots as Fields[]), Number(now))
    const member = tree.members.get(keyOf(unhex(address)))
    if (member === undefined) return { depth: null, path: [] }
    const path = pathTo(tree, keyOf(unhex(address))).map(({ subjectBytes }) => hex(subjectBytes))
    return { depth: member.depth, path }
  },
  'claims.distance': ({ peerId, service }) => ({
    distance: hex(claimDistance(addressOfPeerId(String(peerId)), parseCid(String(service)))),
  }),
  'claims.claim': ({ network, bytes }) => {
    const claim = claimOf(verifyReceipt(unhex(bytes), String(network), createKeyCache()).body)
    return { claim: claim ?? null }
  },
  'claims.precedes': ({ service, a, b }) => {
    const ranked = (one: Json | undefined) => {
      const { peerId, ...claim } = one as Claim & { peerId: string }
      return { ...claim, distance: claimDistance(addressOfPeerId(peerId), parseCid(String(service))) }
    }
    return { precedes: precedes(ranked(a), ranked(b)) }
  },
}

function frameOf(frame: Json | undefined): ReturnType<typeof decodeFrame> {
  // bytes by their number: a session is about how many there are
  return typeof frame === 'number' ? { is: 'data', bytes: new Uint8Array(frame) } : decodeFrame(unhex(frame))
}

/** Of each issuer and subject the one in force, whatever the order of arrival. */
function linksOf(encoded: readonly string[]): Map<string, Link[]> {
  const standing = new Map<string, IndexedStatement>()
  for (const one of encoded) {
    const entry = indexedStatementOf({ encoded: unhex(one) } as IndexedStatement)
    const before = standing.get(entry.subject)
    if (before === undefined || replaces(entry.statement, before.statement)) standing.set(entry.subject, entry)
  }
  const links = [...standing.values()].map(linkOf).filter((link) => link !== undefined)
  return Map.groupBy(links, ({ issuer }) => issuer)
}

function rootsOf(roots: readonly Fields[]): Parameters<typeof buildTree>[1] {
  return new Map(
    roots.map(({ address, depth }) => {
      const bytes = unhex(address)
      return [keyOf(bytes), { text: hex(bytes), bytes, depth: Number(depth) }]
    }),
  )
}
