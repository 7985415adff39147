import { addressBytes } from '../../protocols/address.ts'
import { cidOfBytes, encodeCanonical } from '../../protocols/encoding.ts'
import { MAX_STATEMENT_BYTES, MAX_STATEMENT_SECONDS } from '../../protocols/limits.ts'
import { type Draft, ISSUED, refuses, signerOf, type VectorFile } from './kit/kit.ts'
import { blsHub, compared, hub, open, safe, signed, unsafe, withLargerHash } from './kit/statement-kit.ts'

const KIND = 'attestation'
const ofBls = { ...safe, hub: addressBytes(blsHub.address) }

export function attestation(): VectorFile {
  const good = signed(safe, KIND, hub)
  const badSig = refuses('signature', 'sig')
  return {
    about:
      'Hubs on code. `statement.open` reads and verifies; `statement.replaces` says whether `a` takes the place of `b`.',
    cases: [
      open('safe', good),
      open('unsafe, with every field', signed(unsafe, KIND, hub)),
      open('by a BLS hub', signed(ofBls, KIND, blsHub)),
      open('stands for 366 days', signed({ ...safe, expires: ISSUED + MAX_STATEMENT_SECONDS }, KIND, hub)),
      open('clock: 120 s ahead', good, { now: ISSUED - 120 }),
      open('clock: 121 s ahead', good, { now: ISSUED - 121 }),
      open('clock: the last second', good, { now: safe.expires - 1 }),
      open('clock: expired', good, { now: safe.expires }),
      { ...open('another network', signed(safe, KIND, hub, {}, 'vectors-2')), ...badSig },
      { ...open('wrong domain: signed as a freeze statement', signed(safe, 'freeze', hub)), ...badSig },
      { ...open('wrong domain: signed as a service', signed(safe, 'service', hub)), ...badSig },
      { ...open('signed by another key', signed(safe, KIND, signerOf('other'))), ...badSig },
      { ...open('a BLS hub, signed by another key', signed(ofBls, KIND, signerOf('other'))), ...badSig },
      ...malformed(),
      ...order(),
    ],
  }
}

function malformed(): Draft[] {
  const { verdict: _, ...silent } = safe
  return [
    bad('an unknown verdict', { verdict: 'probably' }, 'body.verdict'),
    { ...open('no verdict', signed(silent, KIND, hub)), ...refuses('shape', 'body.verdict') },
    bad('an unknown severity', { verdict: 'unsafe', severity: 'bad' }, 'body.severity'),
    bad('safe, and a severity', { severity: 'low' }, 'body.severity'),
    bad('report: no web address', { report: 'javascript:alert(1)' }, 'body.report'),
    bad('report: 513 bytes', { report: `https://a/${'a'.repeat(503)}` }, 'body.report'),
    bad('version 2', { v: 2 }, 'body.v'),
    bad('hub: bare key', { hub: hub.address.key }, 'body.hub'),
    bad('code as text', { code: safe.code.toString() }, 'body.code'),
    bad('seq: negative', { seq: -1 }, 'body.seq'),
    bad('expires when issued', { expires: ISSUED }, 'body.expires'),
    bad('stands a second too long', { expires: ISSUED + MAX_STATEMENT_SECONDS + 1 }, 'body.expires'),
    bad('an unknown field', { note: '' }, 'body'),
    bad('severity null', { severity: null }, 'body.severity'),
    { ...open('is nothing that is known', signed({ v: 1 }, KIND, hub)), ...refuses('shape', 'body') },
    { ...open('a key too many around it', signed(safe, KIND, hub, { v: 1 })), ...refuses('shape') },
    {
      ...open('signers beside an ed25519 hub', signed(safe, KIND, hub, { signers: Uint8Array.of(1) })),
      ...refuses('shape', 'signers'),
    },
    { ...open('no dag-cbor', Uint8Array.of(0xff)), ...refuses('encoding') },
    {
      ...open('body is no dag-cbor', encodeCanonical({ body: new Uint8Array(), sig: new Uint8Array() })),
      ...refuses('encoding', 'body'),
    },
    { ...open('4097 bytes', encodeCanonical(new Uint8Array(MAX_STATEMENT_BYTES + 1 - 3))), ...refuses('shape') },
  ]
}

function order(): Draft[] {
  const [first, second] = [signed(safe, KIND, hub), signed({ ...safe, expires: safe.expires + 1 }, KIND, hub)]
  const later = signed({ ...safe, seq: 1 }, KIND, hub)
  const veto = withLargerHash({ ...safe, verdict: 'unsafe' }, safe, (body) => signed(body, KIND, hub))
  const old = signed({ ...safe, verdict: 'unsafe', issued: ISSUED + 999, seq: 0 }, KIND, hub)
  return [
    ...compared('order: the higher seq', later, first),
    ...compared('order: the higher seq, though the lower says unsafe and was issued later', later, old),
    ...compared('order: equal seq, unsafe', veto, first),
    ...compared('order: equal seq and verdict, the smaller hash', first, second),
    ...compared(
      'order: of another code',
      signed({ ...safe, code: cidOfBytes(Uint8Array.of(1)), seq: 9 }, KIND, hub),
      first,
    ),
    ...compared('order: of another hub', signed({ ...ofBls, seq: 9 }, KIND, blsHub), first),
    compared('order: the same again', first, first)[0] as Draft,
  ]
}

function bad(name: string, change: Record<string, unknown>, field: string): Draft {
  return { ...open(name, signed({ ...safe, ...change }, KIND, hub)), ...refuses('shape', field) }
}
