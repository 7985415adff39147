import { addressBytes } from '../../protocols/address.ts'
import { cidOfBytes, encodeCanonical, sha256 } from '../../protocols/encoding.ts'
import { type ReceiptBody, signReceipt } from '../../protocols/receipt.ts'
import { signFor } from '../../protocols/signature.ts'
import { type Draft, hex, ISSUED, NETWORK, refuses, signerOf, type VectorFile } from './kit/kit.ts'
import { CODE } from './kit/samples.ts'

const node = signerOf('node')

const accepted: ReceiptBody = {
  v: 1,
  node: addressBytes(node.address),
  service: CODE,
  state: 'accepted',
  redirected: false,
  reasons: [],
  policy: sha256(new TextEncoder().encode('policy')),
  at: ISSUED + 1,
}
const refused: ReceiptBody = {
  ...accepted,
  state: 'refused',
  redirected: true,
  reasons: [
    { rule: 'keywords', outcome: 'pass', message: 'shares "api"' },
    {
      rule: 'limits',
      outcome: 'fail',
      message: 'asks for 512 MiB, this node gives 256 MiB',
      needs: { field: 'resources.memory', must: 'at-most', value: '268435456' },
    },
    { rule: 'quorum', outcome: 'defer', message: 'one of two hubs has spoken' },
  ],
}

const failing: ReceiptBody = {
  ...accepted,
  reasons: [
    { rule: 'run:exit', outcome: 'fail', message: 'exit code 137 (SIGKILL)' },
    { rule: 'run:restart', outcome: 'defer', message: 'restart 3: it failed; again in 2.0 s' },
    { rule: 'run:output', outcome: 'fail', message: 'cannot find module "left-pad"' },
    { rule: 'keywords', outcome: 'pass', message: 'shares "api"' },
  ],
}
const starting: ReceiptBody = {
  ...accepted,
  reasons: [
    {
      rule: 'run:health',
      outcome: 'defer',
      message: 'it runs, and is healthy when it accepts connections on its port "http" (8080)',
    },
  ],
}
const ended: ReceiptBody = {
  ...accepted,
  state: 'failed',
  reasons: [{ rule: 'run:exit', outcome: 'fail', message: 'exit code 3' }],
}

export function receipt(): VectorFile {
  return {
    about: 'Signed receipts, as they travel.',
    cases: [
      open('accepted', signReceipt(accepted, NETWORK, node)),
      open('refused, with reasons', signReceipt(refused, NETWORK, node)),
      open('runs, and is not healthy yet', signReceipt(starting, NETWORK, node)),
      open('healthy', signReceipt({ ...accepted, state: 'running' }, NETWORK, node)),
      open('ended and begun again, with its last line, to the publisher', signReceipt(failing, NETWORK, node)),
      open('a task that failed', signReceipt(ended, NETWORK, node)),
      { ...open('another network', signReceipt(accepted, 'vectors-2', node)), ...refuses('signature', 'sig') },
      {
        ...open('signed by someone else', signReceipt(accepted, NETWORK, signerOf('peer'))),
        ...refuses('signature', 'sig'),
      },
      { ...open('signed as a service', signed(accepted, 'service')), ...refuses('signature', 'sig') },
      {
        ...open('a key too many around it', encodeCanonical({ body: new Uint8Array(), sig: new Uint8Array(), v: 1 })),
        ...refuses('shape'),
      },
      {
        ...open('body is no dag-cbor', encodeCanonical({ body: new Uint8Array(), sig: new Uint8Array() })),
        ...refuses('encoding', 'body'),
      },
      { ...open('not canonical', Uint8Array.of(0xb8, 0x00)), ...refuses('encoding') },
      { ...open('32769 bytes', encodeCanonical(new Uint8Array(32_769 - 3))), ...refuses('shape') },
      bad('state', { state: 'sleeping' }, 'body.state'),
      bad('an unknown field', { mood: 1 }, 'body'),
      bad('at: a fraction of a second', { at: '1.5' }, 'body.at'),
      bad('policy of 20 bytes', { policy: new Uint8Array(20) }, 'body.policy'),
      bad('service: a raw CID', { service: cidOfBytes(Uint8Array.of(1)) }, 'body.service'),
      bad('node: bare key', { node: node.address.key }, 'body.node'),
      bad('33 reasons', { reasons: Array(33).fill({ rule: 'a', outcome: 'pass', message: '' }) }, 'body.reasons'),
      bad(
        'a message of 513 bytes',
        { reasons: [{ rule: 'a', outcome: 'pass', message: 'm'.repeat(513) }] },
        'body.reasons[0].message',
      ),
      bad('outcome', { reasons: [{ rule: 'a', outcome: 'maybe', message: '' }] }, 'body.reasons[0].outcome'),
      bad(
        'need',
        { reasons: [{ rule: 'a', outcome: 'fail', message: '', needs: { field: 'x', must: 'equal', value: '' } }] },
        'body.reasons[0].needs.must',
      ),
    ],
  }
}

function signed(body: unknown, kind = 'receipt'): Uint8Array {
  const encoded = encodeCanonical(body)
  return encodeCanonical({ body: encoded, sig: signFor(node, NETWORK, kind, encoded) })
}

function bad(name: string, change: Record<string, unknown>, field: string): Draft {
  return { ...open(name, signed({ ...accepted, ...change })), ...refuses('shape', field) }
}

function open(name: string, bytes: Uint8Array): Draft {
  return { name, op: 'receipt.open', network: NETWORK, bytes: hex(bytes) }
}
