import { expect, it } from 'vitest'
import type { ForwardState, IncomingCopy } from '../../../src/intake/forwarding-rules.ts'
import {
  decideForward,
  emissionDepth,
  pendingDepth,
  withCopy,
  withEmission,
} from '../../../src/intake/forwarding-rules.ts'

const NOW = 1_700_000_000
const base: ForwardState = { own: false, ended: false, limit: 8, reach: 6, issued: NOW, expires: NOW + 100 }
const copy = (depth: number, sameSignature = true): IncomingCopy => ({ valid: true, depth, sameSignature })

it.each<[string, Partial<ForwardState>, IncomingCopy, ReturnType<typeof decideForward>]>([
  ['forged, unknown', {}, { valid: false }, 'reject'],
  ['forged, known and redirected', { best: 3, redirect: true }, { valid: false }, 'reject'],
  ['the first copy', {}, copy(3), 'hold'],
  ['the first copy, as deep as its author signed', {}, copy(6), 'ignore'],
  ['the first copy at depth 0', {}, copy(0), 'hold'],
  ['our emission, redirected', { best: 3, redirect: true }, copy(2), 'accept'],
  ['our emission, refused', { best: 3, redirect: false }, copy(2), 'ignore'],
  ['our emission, verdict pending', { best: 3 }, copy(2), 'wait'],
  ['our emission, emitted before', { best: 3, redirect: true, emitted: 2 }, copy(2), 'ignore'],
  ['our emission, emitted higher before', { best: 3, redirect: true, emitted: 5 }, copy(2), 'ignore'],
  ['our emission, emitted lower before', { best: 3, redirect: true, emitted: 1 }, copy(2), 'accept'],
  ['pending, emitted before', { best: 3, emitted: 2 }, copy(2), 'ignore'],
  ['the same depth again', { best: 3, redirect: true }, copy(3), 'hold'],
  ['better than all before', { best: 3, redirect: true }, copy(4), 'hold'],
  ['the best so far, refused', { best: 3, redirect: false }, copy(3), 'ignore'],
  ['the best so far, emitted before', { best: 3, redirect: true, emitted: 3 }, copy(3), 'ignore'],
  ['the best so far, REDIRECTION_DEPTH allows no more', { best: 3, limit: 3, redirect: true }, copy(3), 'ignore'],
  ['the best so far, over', { best: 3, redirect: true, ended: true }, copy(3), 'ignore'],
  ['too low', { best: 3, redirect: true }, copy(1), 'ignore'],
  ['too low, pending', { best: 3 }, copy(1), 'ignore'],
  ['another signature of the same body', { best: 3, redirect: true }, copy(2, false), 'ignore'],
  ['limited by REDIRECTION_DEPTH', { best: 5, limit: 3, redirect: true }, copy(2), 'accept'],
  ['above REDIRECTION_DEPTH', { best: 5, limit: 3, redirect: true }, copy(4), 'ignore'],
  ['REDIRECTION_DEPTH 0', { best: 5, limit: 0, redirect: true }, copy(0), 'ignore'],
  ['best depth 0 emits nothing', { best: 0, redirect: true }, copy(0), 'hold'],
  ['own, undiminished', { best: 4, own: true, redirect: true }, copy(4), 'accept'],
  ['own, whatever REDIRECTION_DEPTH', { best: 4, own: true, redirect: true, limit: 0 }, copy(4), 'accept'],
  ['own, emitted', { best: 4, own: true, redirect: true, emitted: 4 }, copy(4), 'ignore'],
  ['superseded or stopped', { best: 3, redirect: true, ended: true }, copy(2), 'ignore'],
  ['superseded while pending', { best: 3, ended: true }, copy(2), 'ignore'],
  ['expired', { best: 3, redirect: true, expires: NOW }, copy(2), 'ignore'],
  ['expired while pending', { best: 3, expires: NOW }, copy(2), 'ignore'],
  ['early', { best: 3, redirect: true, issued: NOW + 121 }, copy(2), 'ignore'],
  ['early within the skew', { best: 3, redirect: true, issued: NOW + 120 }, copy(2), 'accept'],
])('a forwarding decision: %s', (_, state, incoming, answer) => {
  expect(decideForward({ ...base, ...state }, incoming, NOW)).toBe(answer)
})

it('a forwarding decision: says what is due, and that it is due once', () => {
  let state: ForwardState = { ...base, redirect: true }
  expect(pendingDepth(state, NOW)).toBeUndefined()
  state = withCopy(state, 2)
  expect(pendingDepth(state, NOW)).toBe(1)
  state = withEmission(state, 1)
  expect(pendingDepth(state, NOW)).toBeUndefined()
  expect(withCopy(state, 1)).toBe(state)
  state = withCopy(state, 5)
  expect(pendingDepth(state, NOW)).toBe(4)
  expect(pendingDepth({ ...state, redirect: undefined }, NOW)).toBeUndefined()
  expect(emissionDepth({ ...state, limit: 1 })).toBe(0)
  expect(pendingDepth({ ...state, limit: 1 }, NOW)).toBeUndefined()
})
