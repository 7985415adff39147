import { decodeSigned, encodeAnnouncement, type Signed, signService, signStop } from '../../protocols/announcement.ts'
import { encodeCanonical } from '../../protocols/encoding.ts'
import { lowerTicket } from '../../protocols/redirection.ts'
import { encodeService } from '../../protocols/service.ts'
import { signedBytes, signFor } from '../../protocols/signature.ts'
import { encodeStop } from '../../protocols/stop.ts'
import { forwardDecisions } from './forwarding.ts'
import {
  blsSignerOf,
  type Draft,
  EXPIRES,
  hex,
  ISSUED,
  NETWORK,
  refuses,
  secretOf,
  signerOf,
  type VectorFile,
} from './kit/kit.ts'
import { author, fullService, smallService, smallStop, TICKET } from './kit/samples.ts'
import { array, bytes, head, join, map, text, uint } from './raw.ts'
import { mixedOrderKey, secondSpelling, signWithMixedOrder } from './weird-keys.ts'

const small = signService(encodeService(smallService()), NETWORK, author)
const ended = signStop(encodeStop(smallStop()), NETWORK, author)

export function announcement(): VectorFile {
  return {
    about:
      'Announcements, as they arrive on the topic of `network`. Signature and ticket are part of `receive`. In `gate.answer` the copy has ' +
      '`depth`, is `genuine` (well-formed, with a valid ticket and signature), and has the signature that the node emits (`ours`). Of the ' +
      'service, `state` has: `best`, the highest depth that a copy came with, null = none before this one; `redirect`, the verdict, null = ' +
      'pending; `own`, the node is its publisher (then `best` is `reach`); `emitted`, the highest depth that it has emitted, null = none; ' +
      '`over`, superseded; `limit`, REDIRECTION_DEPTH; `reach`, the depth of the body; `issued`, `expires`.',
    cases: [
      ...valid(),
      ...wrappers(),
      ...bodies(),
      ...signatures(),
      ...redirects(),
      ...clocks(),
      ...pairs(),
      ...forwardDecisions(),
    ],
  }
}

function valid(): Draft[] {
  const bls = blsSignerOf('publisher')
  const full = signService(encodeService(fullService()), NETWORK, author)
  return [
    receive('the least, as its publisher sends it', emission(small, 3)),
    receive('the least, one redirection later', emission(small, 2)),
    receive('the least, where its way ends', emission(small, 0)),
    receive('everything', emission(full, 3)),
    receive('a stop', emission(ended, 3)),
    receive('a BLS author', emission(signService(encodeService(smallService(bls.address)), NETWORK, bls), 1)),
    receive('16384 bytes', padded(16_384)),
  ]
}

function wrappers(): Draft[] {
  const { bytes: body, sig } = small
  const { depth, proof } = TICKET
  const tuple = [uint(1), bytes(body), bytes(sig), uint(depth), bytes(proof)]
  const shape = (name: string, value: unknown, field = '') => ({
    ...receive(name, encodeCanonical(value)),
    ...refuses('shape', field),
  })
  const coded = (name: string, value: Uint8Array) => ({ ...receive(name, value), ...refuses('encoding') })
  return [
    { ...receive('16385 bytes', padded(16_385)), ...refuses('shape') },
    shape('a map', { v: 1, body, sig, depth, proof }),
    shape('four entries', [1, body, sig, depth]),
    shape('six entries', [1, body, sig, depth, proof, 0]),
    shape('v 2', [2, body, sig, depth, proof], 'v'),
    shape('body as a structure', [1, smallService(), sig, depth, proof], 'body'),
    shape('sig as text', [1, body, 'sig', depth, proof], 'sig'),
    shape('depth 9', [1, body, sig, 9, proof], 'depth'),
    shape('depth -1', [1, body, sig, -1, proof], 'depth'),
    shape('depth null', [1, body, sig, null, proof], 'depth'),
    shape('proof of 31 bytes', [1, body, sig, depth, proof.subarray(1)], 'proof'),
    coded('depth in two bytes', array(...tuple.slice(0, 3), head(0, depth, 1), bytes(proof))),
    coded('indefinite list', join(Uint8Array.of(0x9f), ...tuple, Uint8Array.of(0xff))),
    coded('a byte after the end', join(array(...tuple), Uint8Array.of(0))),
    coded('the last byte missing', array(...tuple).subarray(0, -1)),
    coded('nothing', new Uint8Array()),
  ]
}

function bodies(): Draft[] {
  const swapped = swapKeys(small.bytes)
  const doubled = map(['stop', Uint8Array.of(0xf5)], ['stop', Uint8Array.of(0xf5)])
  return [
    {
      ...receive('body: a key more, and signed', signed(encodeCanonical({ ...smallService(), x: 1 }))),
      ...refuses('shape'),
    },
    { ...receive('body: keys in another order, and signed', signed(swapped)), ...refuses('encoding', 'body') },
    {
      ...receive('body: a byte after the end, and signed', signed(join(small.bytes, Uint8Array.of(0)))),
      ...refuses('encoding', 'body'),
    },
    { ...receive('body: one key twice', signed(doubled)), ...refuses('encoding', 'body') },
    { ...receive('body: a list', signed(encodeCanonical([1]))), ...refuses('shape') },
    { ...receive('body: null', signed(encodeCanonical(null))), ...refuses('shape') },
    { ...receive('body: text', signed(text('body'))), ...refuses('shape') },
    { ...receive('body: nothing', signed(new Uint8Array())), ...refuses('encoding', 'body') },
    {
      ...receive('body: a service with stop', signed(encodeCanonical({ ...smallService(), stop: true }))),
      ...refuses('shape'),
    },
    { ...receive('ticket: depth above reach', wrap(small, 4, TICKET.proof)), ...refuses('ticket', 'depth') },
    {
      ...receive('ticket: raised by a relay', wrap(small, 3, lowerTicket(TICKET, 2).proof)),
      ...refuses('ticket', 'proof'),
    },
    { ...receive('ticket: of another service', wrap(small, 3, secretOf('other'))), ...refuses('ticket', 'proof') },
  ]
}

function signatures(): Draft[] {
  const bad = refuses('signature', 'sig')
  const mixed = encodeService(smallService({ type: 'ed25519', key: mixedOrderKey() }))
  const mixedSig = signWithMixedOrder(signedBytes(NETWORK, 'service', mixed))
  const otherBody = encodeService({ ...smallService(), seq: 1 })
  return [
    {
      ...receive('sig: of a stop on a service', withSig(small, signFor(author, NETWORK, 'stop', small.bytes))),
      ...bad,
    },
    {
      ...receive('sig: of a service on a stop', withSig(ended, signFor(author, NETWORK, 'service', ended.bytes))),
      ...bad,
    },
    { ...receive('sig: another network', emission(small, 3)), network: 'vectors-2', ...bad },
    {
      ...receive('sig: someone else', withSig(small, signFor(signerOf('peer'), NETWORK, 'service', small.bytes))),
      ...bad,
    },
    { ...receive('sig: S + L', withSig(small, secondSpelling(small.sig))), ...bad },
    { ...receive('sig: empty', withSig(small, new Uint8Array())), ...bad },
    { ...receive('sig: of another body', wrap({ bytes: otherBody, sig: small.sig }, 3, TICKET.proof)), ...bad },
    { ...receive('author of mixed order', wrap({ bytes: mixed, sig: mixedSig }, 3, TICKET.proof)), ...bad },
  ]
}

function redirects(): Draft[] {
  return [
    [3, 8],
    [3, 2],
    [3, 1],
    [3, 0],
    [1, 8],
    [0, 8],
  ].map(([depth = 0, limit = 0]) => {
    return {
      name: `redirect depth ${depth} with REDIRECTION_DEPTH ${limit}`,
      op: 'announcement.redirect',
      network: NETWORK,
      limit,
      bytes: hex(emission(small, depth)),
    }
  })
}

function clocks(): Draft[] {
  const times = {
    '120 s early': ISSUED - 120,
    '121 s early': ISSUED - 121,
    'last second': EXPIRES - 1,
    'at expires': EXPIRES,
  }
  return Object.entries(times).map(([name, now]) => {
    return { name: `clock: ${name}`, op: 'announcement.clock', issued: ISSUED, expires: EXPIRES, now }
  })
}

function pairs(): Draft[] {
  const seq = (number: number, title = 'Hello') =>
    signService(encodeService({ ...smallService(), seq: number, title }), NETWORK, author)
  const compare = (name: string, a: Signed, b: Signed): Draft => {
    return { name: `stands: ${name}`, op: 'announcement.stands', a: hex(emission(a, 3)), b: hex(emission(b, 3)) }
  }
  return [
    compare('the higher seq', seq(1), seq(2)),
    compare('a stop at equal seq', seq(1), ended),
    compare('a service above a stop', seq(2), ended),
    compare('equal seq: the smaller id', seq(1), seq(1, 'Other')),
    compare('equal seq: the smaller id, other way round', seq(1, 'Other'), seq(1)),
  ]
}

function emission(signed: Signed, depth: number): Uint8Array {
  return encodeAnnouncement({ signed, ticket: lowerTicket(TICKET, depth) })
}

function signed(body: Uint8Array): Uint8Array {
  return wrap({ bytes: body, sig: signFor(author, NETWORK, 'service', body) }, TICKET.depth, TICKET.proof)
}

function withSig(signed: Signed, sig: Uint8Array): Uint8Array {
  return wrap({ bytes: signed.bytes, sig }, TICKET.depth, TICKET.proof)
}

function wrap(
  { bytes: body, sig }: { bytes: Uint8Array; sig: Uint8Array },
  depth: number,
  proof: Uint8Array,
): Uint8Array {
  return encodeCanonical([1, body, sig, depth, proof])
}

/** A signed announcement of exactly so many bytes, whatever the limit. */
function padded(size: number): Uint8Array {
  const build = (filler: number) =>
    signed(encodeCanonical({ ...smallService(), sources: [{ type: 'inline', bytes: new Uint8Array(filler) }] }))
  const overhead = build(15_000).byteLength - 15_000
  return build(size - overhead)
}

/** Shorter keys first, but those of one length backwards. */
function swapKeys(body: Uint8Array): Uint8Array {
  const value = decodeSigned(body, small.sig)
  const entries = Object.entries(value.body).map(([key, item]): [string, Uint8Array] => [key, encodeCanonical(item)])
  return map(...entries.toSorted(([a], [b]) => a.length - b.length || (a < b ? 1 : -1)))
}

function receive(name: string, data: Uint8Array): Draft {
  return { name, op: 'announcement.receive', network: NETWORK, bytes: hex(data) }
}
