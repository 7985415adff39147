import { type Draft, EXPIRES, ISSUED, type Json } from './kit/kit.ts'

/** Redirected here with depth 3 in hand, REDIRECTION_DEPTH 8, nothing emitted yet: depth 2 is this node's emission. */
const STATE = {
  best: 3,
  redirect: true,
  own: false,
  emitted: null,
  over: false,
  limit: 8,
  reach: 3,
  issued: ISSUED,
  expires: EXPIRES,
}

/** What the validator of the services topic decides about one copy. */
export function forwardDecisions(): Draft[] {
  return [
    answer('not genuine', { genuine: false }),
    answer('its emission', { depth: 2 }),
    answer('the copy that it got', { depth: 3 }),
    answer('lower than its emission', { depth: 1 }),
    answer('with another signature', { depth: 2, ours: false }),
    answer('its emission, emitted before', { depth: 2 }, { emitted: 2 }),
    answer('its emission, a higher one emitted before', { depth: 2 }, { emitted: 3 }),
    answer('its emission, a lower one emitted before', { depth: 2 }, { emitted: 1 }),
    answer('not redirected', { depth: 2 }, { redirect: false }),
    answer('the verdict is pending', { depth: 2 }, { redirect: null }),
    answer('the verdict is pending, another depth', { depth: 1 }, { redirect: null }),
    answer('superseded', { depth: 2 }, { over: true }),
    answer('the last second', { depth: 2, now: EXPIRES - 1 }),
    answer('expired', { depth: 2, now: EXPIRES }),
    answer('120 s early', { depth: 2, now: ISSUED - 120 }),
    answer('121 s early', { depth: 2, now: ISSUED - 121 }),
    answer('bounded by REDIRECTION_DEPTH', { depth: 1 }, { limit: 2 }),
    answer('above REDIRECTION_DEPTH', { depth: 2 }, { limit: 2 }),
    answer('REDIRECTION_DEPTH 0 emits nothing', { depth: 0 }, { limit: 0 }),
    answer('depth 0 in hand emits nothing', { depth: 0 }, { best: 0, reach: 0 }),
    answer('its own, undiminished', { depth: 3 }, { own: true }),
    answer('its own, one lower', { depth: 2 }, { own: true }),
    answer('the first copy, at the author\u2019s depth', { depth: 3 }, { best: null, redirect: null }),
  ]
}

function answer(name: string, copy: { [input: string]: Json }, change: { [input: string]: Json } = {}): Draft {
  const state = { ...STATE, ...change }
  return {
    name: `gate: ${name}`,
    op: 'gate.answer',
    genuine: true,
    depth: 2,
    ours: true,
    now: ISSUED + 60,
    ...copy,
    state,
  }
}
