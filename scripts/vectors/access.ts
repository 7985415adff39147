import { type AccessRight, accessFor, signAccess } from '../../protocols/access.ts'
import { addressBytes } from '../../protocols/address.ts'
import { cidOfBytes, cidOfStructure, encodeCanonical } from '../../protocols/encoding.ts'
import { signFor } from '../../protocols/signature.ts'
import { type Draft, hex, ISSUED, type Json, NETWORK, refuses, signerOf, type VectorFile } from './kit/kit.ts'
import { author, peer } from './kit/samples.ts'

const SERVICE = cidOfStructure(new TextEncoder().encode('service'))
const times = { issued: ISSUED, expires: ISSUED + 3600 }
const NOW = ISSUED + 60

export function access(): VectorFile {
  const good = token(['logs', 'tunnel'])
  const refused = refuses('token', 'token')
  const bySomeoneElse = signAccess(accessFor(SERVICE, peer.address, ['logs'], times), NETWORK, signerOf('other'))
  const elsewhere = signAccess(accessFor(SERVICE, peer.address, ['logs'], times), 'vectors-2', author)
  return {
    about: 'May `peer` use `right` on `service`? `token` is what it shows.',
    cases: [
      { ...check('the author needs no token'), peer: hex(addressBytes(author.address)) },
      check('a token for logs and tunnel', good),
      { ...check('a token for the tunnel', token(['tunnel'])), right: 'tunnel' },
      { ...check('a token for the results', token(['results'])), right: 'results' },
      { ...check('a token for logs, not for the results', token(['logs'])), right: 'results', ...refused },
      check('a token for all', token(['logs', 'tunnel', 'results'])),
      { ...check('the last second', good), now: ISSUED + 3599 },
      { ...check('issued 120 s ahead', good), now: ISSUED - 120 },
      { ...check('no token'), ...refused },
      { ...check('of another right', token(['tunnel'])), ...refused },
      { ...check('expired', good), now: ISSUED + 3600, ...refused },
      { ...check('issued 121 s ahead', good), now: ISSUED - 121, ...refused },
      { ...check('for another peer', good), peer: hex(addressBytes(signerOf('other').address)), ...refused },
      { ...check('for another service', good), service: cidOfStructure(Uint8Array.of(1)).toString(), ...refused },
      { ...check('by someone else', bySomeoneElse), ...refuses('signature', 'sig') },
      { ...check('of another network', elsewhere), ...refuses('signature', 'sig') },
      { ...check('signed as a receipt', signed({}, 'receipt')), ...refuses('signature', 'sig') },
      {
        ...check('lives more than a day', signed({ expires: ISSUED + 86_401 })),
        ...refuses('shape', 'token.body.expires'),
      },
      { ...check('no rights', signed({ rights: [] })), ...refuses('shape', 'token.body.rights') },
      { ...check('a right twice', signed({ rights: ['logs', 'logs'] })), ...refuses('shape', 'token.body.rights') },
      { ...check('an unknown right', signed({ rights: ['shell'] })), ...refuses('shape', 'token.body.rights[0]') },
      { ...check('an unknown field', signed({ note: '' })), ...refuses('shape', 'token.body') },
      {
        ...check('for a raw CID', signed({ service: cidOfBytes(Uint8Array.of(1)) })),
        ...refuses('shape', 'token.body.service'),
      },
      { ...check('no dag-cbor', Uint8Array.of(0xff)), ...refuses('encoding', 'token') },
      { ...check('513 bytes', encodeCanonical(new Uint8Array(510))), ...refuses('shape', 'token') },
    ],
  }
}

function token(rights: AccessRight[]): Uint8Array {
  return signAccess(accessFor(SERVICE, peer.address, rights, times), NETWORK, author)
}

function signed(change: Record<string, unknown>, kind = 'access'): Uint8Array {
  const body = encodeCanonical({ ...accessFor(SERVICE, peer.address, ['logs'], times), ...change })
  return encodeCanonical({ body, sig: signFor(author, NETWORK, kind, body) })
}

function check(name: string, shown?: Uint8Array): Draft {
  const asked: Record<string, Json> = {
    network: NETWORK,
    service: SERVICE.toString(),
    author: hex(addressBytes(author.address)),
    peer: hex(addressBytes(peer.address)),
    right: 'logs',
    now: NOW,
  }
  return { name, op: 'access.check', ...asked, ...(shown === undefined ? {} : { token: hex(shown) }) }
}
