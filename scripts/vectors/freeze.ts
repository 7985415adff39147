import { addressBytes, formatAddress, formatLegacy } from '../../protocols/address.ts'
import { blsSignerOf, type Draft, hex, ISSUED, refuses, signerOf, type VectorFile } from './kit/kit.ts'
import { compared, frozen, hub, open, signed } from './kit/statement-kit.ts'
import { ambiguousText, nearlyAmbiguousText } from './weird-keys.ts'

const KIND = 'freeze'

export function freezeStatement(): VectorFile {
  const good = signed(frozen, KIND, hub)
  const later = { ...frozen, amount: '0', seq: 4 }
  return {
    about: 'Hubs on what an address has frozen.',
    cases: [
      open('an amount', good),
      open('nothing any more', signed(later, KIND, hub)),
      open('the largest amount', signed({ ...frozen, amount: `${'9'.repeat(39)}.${'9'.repeat(18)}` }, KIND, hub)),
      open('clock: expired', good, { now: frozen.expires }),
      open('clock: 121 s ahead', good, { now: ISSUED - 121 }),
      { ...open('another network', signed(frozen, KIND, hub, {}, 'vectors-2')), ...refuses('signature', 'sig') },
      { ...open('wrong domain', signed(frozen, 'attestation', hub)), ...refuses('signature', 'sig') },
      {
        ...open('signed by the address itself', signed(frozen, KIND, signerOf('author'))),
        ...refuses('signature', 'sig'),
      },
      bad('amount: a number', { amount: 1500 }, 'body.amount'),
      bad('amount: negative', { amount: '-1' }, 'body.amount'),
      bad('amount: with an exponent', { amount: '1e9' }, 'body.amount'),
      bad('amount: a leading zero', { amount: '01' }, 'body.amount'),
      bad('amount: 19 decimals', { amount: `0.${'1'.repeat(19)}` }, 'body.amount'),
      ...chains(),
      bad('chain: empty', { chain: '' }, 'body.chain'),
      bad('chain: 129 bytes', { chain: 'c'.repeat(129) }, 'body.chain'),
      bad('address: bare key', { address: hub.address.key }, 'body.address'),
      bad('expires before issued', { expires: ISSUED - 1 }, 'body.expires'),
      bad('a code as well', { verdict: 'safe' }, 'body'),
      ...compared('order: the higher seq', signed(later, KIND, hub), good),
      ...compared('order: equal seq, the smaller hash', signed({ ...frozen, amount: '0' }, KIND, hub), good),
      ...compared('order: of another chain', signed({ ...later, chain: 'btc' }, KIND, hub), good),
    ],
  }
}

function chains(): Draft[] {
  const ed = signerOf('author').address
  const bls = blsSignerOf('hub').address
  const text = formatAddress(ed)
  const ambiguous = ambiguousText()
  const good = (name: string, chain: string) => open(`chain: ${name}`, signed({ ...frozen, chain }, KIND, hub))
  const refused = (name: string, chain: string) => bad(`chain: ${name}`, { chain }, 'body.chain')
  return [
    good('a name with a colon and letters beyond ASCII', 'eip155:1-\u00e9'),
    good('an ed25519 address', text),
    good('a BLS address', formatAddress(bls)),
    good('an address that needs its prefix', `ed25519:${ambiguous}`),
    refused('a name with a capital letter', 'Sol'),
    refused('an address with a prefix that it does not need', `ed25519:${text}`),
    refused('an address in the legacy form', formatLegacy(ed)),
    refused('an address in the legacy form, without prefix', formatLegacy(signerOf('legacy 1').address).slice(7)),
    refused('an address that is two keys', ambiguous),
    refused('a BLS address in hex', `0x${hex(bls.key)}`),
    refused('a BLS address with prefix', `bls12-381:${formatAddress(bls)}`),
    refused('32 bytes in base58 that are no key', nearlyAmbiguousText()),
    refused('the bytes of an address in hex, in capitals', hex(addressBytes(ed)).toUpperCase()),
  ]
}

function bad(name: string, change: Record<string, unknown>, field: string): Draft {
  return { ...open(name, signed({ ...frozen, ...change }, KIND, hub)), ...refuses('shape', field) }
}
