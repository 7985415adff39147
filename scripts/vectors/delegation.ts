import { addressBytes } from '../../protocols/address.ts'
import { type Draft, ISSUED, refuses, signerOf, type VectorFile } from './kit.ts'
import { blsHub, compared, link, open, sealed, withLargerHash } from './statement-kit.ts'

const KIND = 'delegation'
const root = signerOf('root')

export function delegation(): VectorFile {
  const good = sealed(link, KIND, root)
  const revoked = { ...link, revoked: true, seq: 1 }
  const ofBls = { ...link, issuer: addressBytes(blsHub.address) }
  return {
    about: 'Links of the trust tree.',
    cases: [
      open('two links may follow', good),
      open('none may follow', sealed({ ...link, depth: 0 }, KIND, root)),
      open('revoked', sealed(revoked, KIND, root)),
      open('by a BLS key', sealed(ofBls, KIND, blsHub)),
      open('clock: expired', good, { now: link.expires }),
      open('clock: 121 s ahead', good, { now: ISSUED - 121 }),
      { ...open('another network', sealed(link, KIND, root, {}, 'vectors-2')), ...refuses('signature', 'sig') },
      { ...open('wrong domain', sealed(link, 'attestation', root)), ...refuses('signature', 'sig') },
      { ...open('signed by the subject', sealed(link, KIND, signerOf('author'))), ...refuses('signature', 'sig') },
      {
        ...open('signers', sealed(ofBls, KIND, blsHub, { signers: Uint8Array.of(1) })),
        ...refuses('shape', 'signers'),
      },
      bad('depth: 17', { depth: 17 }, 'body.depth'),
      bad('depth: negative', { depth: -1 }, 'body.depth'),
      bad('to itself', { subject: link.issuer }, 'body.subject'),
      bad('revoked: false', { revoked: false }, 'body.revoked'),
      bad('for ever', { expires: Number.MAX_SAFE_INTEGER }, 'body.expires'),
      bad('an unknown field', { hub: link.issuer }, 'body'),
      ...compared('order: the higher seq', sealed(revoked, KIND, root), good),
      ...compared(
        'order: given again after it was revoked',
        sealed({ ...link, seq: 2 }, KIND, root),
        sealed(revoked, KIND, root),
      ),
      ...compared(
        'order: equal seq, revoked',
        withLargerHash({ ...revoked, seq: 0 }, link, (body) => sealed(body, KIND, root)),
        good,
      ),
      ...compared(
        'order: of another subject',
        sealed({ ...revoked, subject: addressBytes(blsHub.address) }, KIND, root),
        good,
      ),
    ],
  }
}

function bad(name: string, change: Record<string, unknown>, field: string): Draft {
  return { ...open(name, sealed({ ...link, ...change }, KIND, root)), ...refuses('shape', field) }
}
