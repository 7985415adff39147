import { type Draft, ISSUED, refuses, signerOf, type VectorFile } from './kit.ts'
import { compared, frozen, hub, open, sealed } from './statement-kit.ts'

const KIND = 'freeze'

export function freezeStatement(): VectorFile {
  const good = sealed(frozen, KIND, hub)
  const later = { ...frozen, amount: '0', seq: 4 }
  return {
    about: 'Hubs on what an address has frozen.',
    cases: [
      open('an amount', good),
      open('nothing any more', sealed(later, KIND, hub)),
      open('the largest amount', sealed({ ...frozen, amount: `${'9'.repeat(39)}.${'9'.repeat(18)}` }, KIND, hub)),
      open('clock: expired', good, { now: frozen.expires }),
      open('clock: 121 s ahead', good, { now: ISSUED - 121 }),
      { ...open('another network', sealed(frozen, KIND, hub, {}, 'vectors-2')), ...refuses('signature', 'sig') },
      { ...open('wrong domain', sealed(frozen, 'attestation', hub)), ...refuses('signature', 'sig') },
      {
        ...open('signed by the address itself', sealed(frozen, KIND, signerOf('author'))),
        ...refuses('signature', 'sig'),
      },
      bad('amount: a number', { amount: 1500 }, 'body.amount'),
      bad('amount: negative', { amount: '-1' }, 'body.amount'),
      bad('amount: with an exponent', { amount: '1e9' }, 'body.amount'),
      bad('amount: a leading zero', { amount: '01' }, 'body.amount'),
      bad('amount: 19 decimals', { amount: `0.${'1'.repeat(19)}` }, 'body.amount'),
      bad('chain: empty', { chain: '' }, 'body.chain'),
      bad('chain: 129 bytes', { chain: 'c'.repeat(129) }, 'body.chain'),
      bad('address: bare key', { address: hub.address.key }, 'body.address'),
      bad('expires before issued', { expires: ISSUED - 1 }, 'body.expires'),
      bad('a code as well', { verdict: 'safe' }, 'body'),
      ...compared('order: the higher seq', sealed(later, KIND, hub), good),
      ...compared('order: equal seq, the smaller hash', sealed({ ...frozen, amount: '0' }, KIND, hub), good),
      ...compared('order: of another chain', sealed({ ...later, chain: 'btc' }, KIND, hub), good),
    ],
  }
}

function bad(name: string, change: Record<string, unknown>, field: string): Draft {
  return { ...open(name, sealed({ ...frozen, ...change }, KIND, hub)), ...refuses('shape', field) }
}
