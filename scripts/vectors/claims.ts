import { addressBytes, peerIdOf } from '../../protocols/address.ts'
import { CLAIM_STATES, type ClaimState } from '../../protocols/claims.ts'
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
  const said = (message: string, change: Partial<ReceiptBody> = {}, rule = 'run:claim') => {
    const reasons = [{ rule, outcome: 'defer' as const, message }]
    return signReceipt(receipt({ reasons, ...change }), NETWORK, node)
  }
  const order = (name: string, a: Ranked, b: Ranked): Draft => {
    return { name, op: 'claims.precedes', service: CODE.toString(), a, b }
  }
  return {
    about: 'Which answers to a status request are claims, how far a node is from a service, and which claims go first.',
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
      claim('claiming', said('claiming')),
      claim('claiming, with a sentence', said('claiming: it asks its neighbours')),
      claim('leaving', said('leaving: its run failed twice')),
      claim('leaving while it runs', said('leaving', { state: 'running' })),
      claim('claiming says nothing of what runs', said('claiming', { state: 'running' })),
      claim('what is done does not leave', said('leaving', { state: 'done' })),
      claim('claiming says nothing of what is parked', said('claiming', { state: 'parked' })),
      claim('a word that is not known', said('claimed')),
      claim('the rule of a policy', said('claiming', {}, 'claim')),
      ...CLAIM_STATES.flatMap((state, index) => {
        const others = CLAIM_STATES.slice(index + 1)
        return others.map((other) => order(`${state} before ${other}, though farther`, far(state), near(other)))
      }),
      ...CLAIM_STATES.map((state) => order(`both ${state}: the nearer one`, near(state), far(state))),
      order('both running: not the farther one', far('running'), near('running')),
      order('not before itself', near('running'), near('running')),
      order('what leaves precedes none', near('running', true), far('claiming')),
      order('all precede what leaves', far('claiming'), near('running', true)),
      order('of two that leave, none', near('running', true), far('running', true)),
    ],
  }
}

type Ranked = { peerId: string; state: ClaimState; leaving: boolean }

/** Of the two signers, `node` is nearer to the service of these cases. */
function near(state: ClaimState, leaving = false): Ranked {
  return { peerId: peerIdOf(node.address), state, leaving }
}

function far(state: ClaimState, leaving = false): Ranked {
  return { peerId: peerIdOf(signerOf('peer').address), state, leaving }
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
