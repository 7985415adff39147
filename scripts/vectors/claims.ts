import { addressBytes, peerIdOf } from '../../protocols/address.ts'
import { RECEIPT_STATES, type ReceiptBody, signReceipt } from '../../protocols/receipt.ts'
import { type Draft, hex, ISSUED, NETWORK, refuses, signerOf, type VectorFile } from './kit/kit.ts'
import { CODE } from './kit/samples.ts'

const node = signerOf('node')

export function claims(): VectorFile {
  const peerId = peerIdOf(node.address)
  const distance = (name: string, id: string): Draft => {
    return { name, op: 'claims.distance', peerId: id, service: CODE.toString() }
  }
  const claim = (name: string, bytes: Uint8Array): Draft => {
    return { name, op: 'claims.claim', network: NETWORK, bytes: hex(bytes) }
  }
  return {
    about: 'Which answers to a status request are claims, and how far a node is from a service.',
    cases: [
      distance('distance', peerId),
      distance('distance of another node', peerIdOf(signerOf('peer').address)),
      { ...distance('distance of what is no peer id', peerId.slice(1)), ...refuses('address', 'peer id') },
      ...RECEIPT_STATES.map((state) => claim(`state: ${state}`, signReceipt(receipt({ state }), NETWORK, node))),
      claim('redirected besides', signReceipt(receipt({ state: 'running', redirected: true }), NETWORK, node)),
      claim(
        'signed long ago: only the answer is of now',
        signReceipt(receipt({ state: 'running', at: 1 }), NETWORK, node),
      ),
      {
        ...claim('signed by somebody else', signReceipt(receipt({ state: 'running' }), NETWORK, signerOf('peer'))),
        ...refuses('signature', 'sig'),
      },
    ],
  }
}

function receipt(change: Partial<ReceiptBody>): ReceiptBody {
  return {
    v: 1,
    node: addressBytes(node.address),
    service: CODE,
    state: 'accepted',
    redirected: false,
    reasons: [],
    policy: new Uint8Array(32),
    at: ISSUED,
    ...change,
  }
}
