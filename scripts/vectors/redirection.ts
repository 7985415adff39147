import { sha256 } from '../../protocols/encoding.ts'
import { MAX_DEPTH } from '../../protocols/limits.ts'
import { issueTicket, lowerTicket } from '../../protocols/redirection.ts'
import { type Draft, hex, refuses, secretOf, type VectorFile } from './kit/kit.ts'

const SECRET = secretOf('ticket')
const { reach, ticket } = issueTicket(3, SECRET)

export function redirection(): VectorFile {
  return {
    about:
      'Redirection tickets. `proofs[d]` is the proof of depth d; `emitted` is the depth that a redirector sends, null = none.',
    cases: [...issued(), ...checked(), ...lowered(), ...emitted()],
  }
}

function issued(): Draft[] {
  return [
    ...Array.from({ length: MAX_DEPTH + 1 }, (_, depth) => issue(`issue depth ${depth}`, depth)),
    { ...issue('issue depth 9', 9), ...refuses('shape', 'reach.depth') },
    { ...issue('issue with a secret of 31 bytes', 3), secret: hex(SECRET.subarray(1)), ...refuses('shape', 'reach') },
  ]
}

function checked(): Draft[] {
  const { proof } = ticket
  return [
    ...[3, 2, 1, 0].map((depth) => check(`depth ${depth} of 3`, depth, lowerTicket(ticket, depth).proof)),
    { ...check('raised: the proof of 2 with depth 3', 3, lowerTicket(ticket, 2).proof), ...refuses('ticket', 'proof') },
    { ...check('raised above what the author allowed', 4, proof), ...refuses('ticket', 'depth') },
    { ...check('lowered without hashing', 2, proof), ...refuses('ticket', 'proof') },
    { ...check('hashed too often', 2, sha256(sha256(proof))), ...refuses('ticket', 'proof') },
    { ...check('another secret', 3, secretOf('other')), ...refuses('ticket', 'proof') },
    { ...check('the anchor as proof of depth 3', 3, reach.anchor), ...refuses('ticket', 'proof') },
  ]
}

function lowered(): Draft[] {
  const lower = (name: string, depth: number, to: number): Draft => {
    return { name, op: 'redirection.lower', depth, proof: hex(lowerTicket(ticket, depth).proof), to }
  }
  return [
    lower('3 to 3', 3, 3),
    lower('3 to 2', 3, 2),
    lower('2 to 0', 2, 0),
    { ...lower('2 to 3', 2, 3), ...refuses('ticket', 'depth') },
    { ...lower('0 to -1', 0, -1), ...refuses('ticket', 'depth') },
    { ...lower('2 to 1.5', 2, 1.5), ...refuses('ticket', 'depth') },
  ]
}

function emitted(): Draft[] {
  const pairs = [
    [0, 0],
    [0, 3],
    [1, 0],
    [1, 1],
    [3, 3],
    [3, 1],
    [1, 3],
    [8, 8],
    [8, 2],
  ] as const
  return pairs.map(([best, limit]) => {
    return { name: `emitted: best ${best}, REDIRECTION_DEPTH ${limit}`, op: 'redirection.emitted', best, limit }
  })
}

function issue(name: string, depth: number): Draft {
  return { name, op: 'redirection.issue', depth, secret: hex(SECRET) }
}

function check(name: string, depth: number, proof: Uint8Array): Draft {
  return { name, op: 'redirection.check', reachDepth: reach.depth, anchor: hex(reach.anchor), depth, proof: hex(proof) }
}
