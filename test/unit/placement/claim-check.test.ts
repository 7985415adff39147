import { expect, it } from 'vitest'
import type { Claim } from '../../../protocols/claims.ts'
import { manualClock } from '../../../src/base/clock.ts'
import { createClaimCheck } from '../../../src/placement/claim-check.ts'

function checkOf(claim: () => Promise<Claim | undefined>, misbehaves = false) {
  const clock = manualClock()
  let asked = 0
  const ask = () => {
    asked++
    return claim()
  }
  return { clock, check: createClaimCheck({ clock }, { ask, misbehaves: () => misbehaves }), asked: () => asked }
}

const claims = (state: Claim['state']) => async (): Promise<Claim> => ({ state, leaving: false })

it.each([
  ['runs it', claims('running'), false, true],
  ['begins it', claims('accepted'), false, true],
  ['asks whether its run is wanted', claims('claiming'), false, false],
  ['has done it', claims('done'), false, false],
  ['claims nothing', async () => undefined, false, false],
  ['does not answer', () => Promise.reject(new Error('silent')), false, false],
  ['has sent invalid data', claims('running'), true, false],
])('a peer that %s', async (_, claim, misbehaves, isSibling) => {
  expect(await checkOf(claim, misbehaves).check('service', 'peer')).toBe(isSibling)
})

it('a peer that asks for ports again and again is asked once in five seconds', async () => {
  const { clock, check, asked } = checkOf(async () => undefined)
  for (let count = 0; count < 100; count++) await check('service', 'peer')
  expect(asked()).toBe(1)
  await clock.advance(5_001)
  await check('service', 'peer')
  expect(asked()).toBe(2)
})
