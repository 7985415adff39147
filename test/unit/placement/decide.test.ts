import { expect, test } from 'vitest'
import { type CountedClaim, claimedText, decidePlacement, type RoundFacts } from '../../../src/placement/decide.ts'

const at = (distance: number) => Uint8Array.of(distance)
const claim = (state: CountedClaim['state'], distance: number, change: Partial<CountedClaim> = {}): CountedClaim => {
  return { state, distance: at(distance), leaving: false, fresh: true, peer: `${distance}`, ...change }
}
const facts = (part: RoundFacts['part'], claims: CountedClaim[], change: Partial<RoundFacts> = {}): RoundFacts => {
  return { part, claims, replicas: 1, distance: at(5), leaving: false, before: 0, ...change }
}

const near = claim('running', 1)
const twice = { before: 1 }

test.each<[string, RoundFacts, string]>([
  ['nobody claims: it starts', facts('claiming', []), 'start'],
  ['a nearer one claims, too', facts('claiming', [claim('claiming', 1)]), 'stand-by'],
  ['a farther one claims, too', facts('claiming', [claim('claiming', 9)]), 'start'],
  ['a farther one has begun', facts('claiming', [claim('accepted', 9)]), 'stand-by'],
  ['a farther one is done', facts('claiming', [claim('done', 9)]), 'stand-by'],
  ['one that leaves runs it', facts('claiming', [claim('running', 1, { leaving: true })]), 'start'],
  ['one of two is claimed', facts('claiming', [near], { replicas: 2 }), 'start'],
  ['it starts beside a nearer one, once', facts('starting', [claim('accepted', 1)]), 'keep'],
  ['it starts beside a nearer one, twice', facts('starting', [claim('accepted', 1)], twice), 'stop'],
  ['it starts beside a farther one', facts('starting', [claim('accepted', 9)], twice), 'keep'],
  ['it starts beside one that runs', facts('starting', [claim('running', 9)], twice), 'stop'],
  ['it runs beside a nearer one, once', facts('running', [near]), 'keep'],
  ['it runs beside a nearer one, twice', facts('running', [near], twice), 'stop'],
  ['it runs beside one that was silent now', facts('running', [claim('running', 1, { fresh: false })], twice), 'keep'],
  ['it runs beside a nearer one that starts', facts('running', [claim('accepted', 1)], twice), 'keep'],
  ['it runs beside one that is done', facts('running', [claim('done', 9)], twice), 'stop'],
  [
    'it fails, and a farther one starts',
    facts('starting', [claim('accepted', 9)], { ...twice, leaving: true }),
    'stop',
  ],
  [
    'it leaves, and a farther one starts',
    facts('running', [claim('accepted', 9)], { ...twice, leaving: true }),
    'keep',
  ],
  ['it leaves, and a farther one runs', facts('running', [claim('running', 9)], { ...twice, leaving: true }), 'stop'],
  ['a replica is missing, once', facts('standing-by', []), 'keep'],
  ['a replica is missing, twice', facts('standing-by', [], twice), 'claim'],
  ['a farther one runs: none is missing', facts('standing-by', [claim('running', 9)], twice), 'keep'],
  ['one that leaves is missing', facts('standing-by', [claim('running', 1, { leaving: true })], twice), 'claim'],
])('%s', (_name, round, decision) => {
  expect(decidePlacement(round).decision).toBe(decision)
})

test.each<[CountedClaim[], number, string]>([
  [[], 3, 'no other node claims a replica'],
  [[near], 1, 'the one replica is claimed by a nearer node'],
  [[claim('running', 9)], 1, 'the one replica is claimed by another node'],
  [[near], 3, '1 of 3 replicas is claimed by a nearer node'],
  [[near, claim('running', 2), claim('accepted', 3)], 3, '3 of 3 replicas are claimed by nearer nodes'],
  [[near, claim('running', 2), claim('accepted', 9), near], 3, '3 of 3 replicas are claimed by other nodes'],
])('in one sentence: %#', (claims, replicas, sentence) => {
  expect(claimedText(claims, facts('claiming', claims, { replicas }))).toBe(sentence)
})
