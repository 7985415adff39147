import { expect, test } from 'vitest'
import { checkReachability } from '../../../../src/cli/checks/reachability.ts'
import {
  describeReachability,
  needsRelay,
  type ReachabilityFacts,
} from '../../../../src/network/reachability/reachability-view.ts'

const ALONE: ReachabilityFacts = {
  ...{ listens: true, announced: false, inboundSeen: false, early: false },
  ...{ relays: [], offers: 0, staticNodes: 0 },
}

test('a relay is asked where nothing shows that others can dial the node', () => {
  expect(needsRelay(ALONE)).toBe(true)
  for (const fact of [{ announced: true }, { inboundSeen: true }, { early: true }, { listens: false }]) {
    expect(needsRelay({ ...ALONE, ...fact })).toBe(false)
  }
})

test.each<[Partial<ReachabilityFacts>, string, string | undefined]>([
  [{}, 'none: no static node', 'ANNOUNCE'],
  [{ staticNodes: 1 }, 'none: none of its static nodes relays', 'RELAY'],
  [{ staticNodes: 1, offers: 1, refused: 'full' }, 'none: (full)', 'keeps trying'],
  [{ relays: ['a'] }, 'relayed: 1 static node relays for it', 'ANNOUNCE'],
  [{ relays: ['a', 'b'] }, 'relayed: 2 static nodes relay for it', 'ANNOUNCE'],
  [{ announced: true }, 'direct: ANNOUNCE says so', undefined],
  [{ announced: true, inboundSeen: true }, 'direct: within the last hour', undefined],
  [{ inboundSeen: true, relays: ['a'] }, 'direct: within the last hour', undefined],
  [{ early: true }, 'unknown: just started', undefined],
  [{ listens: false }, 'none: listens nowhere', 'LISTEN'],
])('%j is %s', (facts, expected, advice) => {
  const view = describeReachability({ ...ALONE, ...facts })
  const [state = '', because = ''] = expected.split(': ')
  expect(view.state).toBe(state)
  expect(view.because).toContain(because)
  if (advice === undefined) expect(view.advice).toBeUndefined()
  else expect(view.advice).toContain(advice)
})

test('doctor says what is so, why, and what to do; a node without a way in is a warning', () => {
  const none = checkReachability(describeReachability({ ...ALONE, staticNodes: 1 }))
  expect(none.outcome).toBe('warn')
  expect(none.found).toBe(
    'reachable from outside: no; no other node has connected to it, and none of its static nodes relays',
  )
  expect(none.advice).toContain('ask the operator of a static node to set RELAY')
  const relays = {
    ...describeReachability({ ...ALONE, announced: true }),
    relaying: { reservations: 1, circuits: 2, bytes: 3_000_000 },
  }
  expect(checkReachability(relays)).toMatchObject({
    outcome: 'ok',
    found: expect.stringContaining('it relays for 1 node'),
  })
})
