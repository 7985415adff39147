import { addressBytes } from '../../protocols/address.ts'
import type { Signer } from '../../protocols/signature.ts'
import { type Draft, hex, ISSUED, type Json, refuses, signerOf, type VectorFile } from './kit/kit.ts'
import { blsHub, compared, link, open, signed, withLargerHash } from './kit/statement-kit.ts'

const KIND = 'delegation'
const root = signerOf('root')

export function delegation(): VectorFile {
  const good = signed(link, KIND, root)
  const revoked = { ...link, revoked: true, seq: 1 }
  const ofBls = { ...link, issuer: addressBytes(blsHub.address) }
  return {
    about: 'Links of the trust tree.',
    cases: [
      open('two links may follow', good),
      open('none may follow', signed({ ...link, depth: 0 }, KIND, root)),
      open('revoked', signed(revoked, KIND, root)),
      open('by a BLS key', signed(ofBls, KIND, blsHub)),
      open('clock: expired', good, { now: link.expires }),
      open('clock: 121 s ahead', good, { now: ISSUED - 121 }),
      { ...open('another network', signed(link, KIND, root, {}, 'vectors-2')), ...refuses('signature', 'sig') },
      { ...open('wrong domain', signed(link, 'attestation', root)), ...refuses('signature', 'sig') },
      { ...open('signed by the subject', signed(link, KIND, signerOf('author'))), ...refuses('signature', 'sig') },
      {
        ...open('signers', signed(ofBls, KIND, blsHub, { signers: Uint8Array.of(1) })),
        ...refuses('shape', 'signers'),
      },
      bad('depth: 17', { depth: 17 }, 'body.depth'),
      bad('depth: negative', { depth: -1 }, 'body.depth'),
      bad('to itself', { subject: link.issuer }, 'body.subject'),
      bad('revoked: false', { revoked: false }, 'body.revoked'),
      bad('for ever', { expires: Number.MAX_SAFE_INTEGER }, 'body.expires'),
      bad('an unknown field', { hub: link.issuer }, 'body'),
      ...chains(),
      ...compared('order: the higher seq', signed(revoked, KIND, root), good),
      ...compared(
        'order: given again after it was revoked',
        signed({ ...link, seq: 2 }, KIND, root),
        signed(revoked, KIND, root),
      ),
      ...compared(
        'order: equal seq, revoked',
        withLargerHash({ ...revoked, seq: 0 }, link, (body) => signed(body, KIND, root)),
        good,
      ),
      ...compared(
        'order: of another subject',
        signed({ ...revoked, subject: addressBytes(blsHub.address) }, KIND, root),
        good,
      ),
    ],
  }
}

/** Is `author` vouched for from `roots`, and how many links may follow it? `path`: the subjects of the chain, root first. */
function chains(): Draft[] {
  const [one, two] = [signerOf('link 1'), signerOf('link 2')]
  const author = addressBytes(signerOf('author').address)
  const of = (issuer: Signer, subject: Uint8Array, more: object = {}) =>
    hex(signed({ ...link, issuer: addressBytes(issuer.address), subject, ...more }, KIND, issuer))
  const to = (signer: Signer) => addressBytes(signer.address)
  const chain = (name: string, links: string[], more: { [input: string]: Json } = {}): Draft => ({
    name: `chain: ${name}`,
    op: 'delegation.chain',
    roots: [{ address: hex(to(root)), depth: 3 }],
    links,
    address: hex(author),
    now: ISSUED + 60,
    ...more,
  })
  const first = of(root, to(one), { depth: 2 })
  const second = of(one, to(two), { depth: 1 })
  const third = of(two, author, { depth: 0 })
  const revoked = of(one, to(two), { depth: 1, seq: 1, revoked: true })
  return [
    chain('a root itself', [], { address: hex(to(root)) }),
    chain('nobody vouches', []),
    chain('one link', [of(root, author, { depth: 2 })]),
    chain('three links', [first, second, third]),
    chain('in any order', [third, first, second]),
    chain('the middle is missing', [first, third]),
    chain('the root allows fewer links', [first, second, third], { roots: [{ address: hex(to(root)), depth: 2 }] }),
    chain('a root that allows none', [of(root, author, { depth: 0 })], {
      roots: [{ address: hex(to(root)), depth: 0 }],
    }),
    chain('a depth that does not fall', [first, of(one, to(two), { depth: 2 }), third]),
    chain('the last link early', [first, second, of(two, author, { depth: 0, issued: ISSUED + 181 })]),
    chain('the last link 120 s early', [first, second, of(two, author, { depth: 0, issued: ISSUED + 180 })]),
    chain('the middle has expired', [first, of(one, to(two), { depth: 1, expires: ISSUED + 60 }), third]),
    chain('the middle is revoked', [first, second, third, revoked]),
    chain('a revocation that has expired', [
      first,
      second,
      third,
      of(one, to(two), { depth: 1, seq: 1, revoked: true, expires: ISSUED + 30 }),
    ]),
    chain('given again after it was revoked', [first, second, third, revoked, of(one, to(two), { depth: 1, seq: 2 })]),
    chain('a newer link with a lower depth', [first, second, third, of(one, to(two), { depth: 0, seq: 1 })]),
    chain('a circle', [first, of(one, to(root), { depth: 1 }), of(root, author, { depth: 1 })]),
    chain('the better of two ways', [first, of(one, author, { depth: 0 }), of(root, author, { depth: 2 })]),
    chain('of a root that is none here', [first, second, third], { roots: [] }),
  ]
}

function bad(name: string, change: Record<string, unknown>, field: string): Draft {
  return { ...open(name, signed({ ...link, ...change }, KIND, root)), ...refuses('shape', field) }
}
