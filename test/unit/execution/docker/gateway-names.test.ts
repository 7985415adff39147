import { expect, test } from 'vitest'
import { dockerHandle, earlierGateway, journalledHandle, nameOfRun } from '../../../../src/execution/docker/folders.ts'

const { name, gateway, socket } = dockerHandle('/run/tc', 'r1')

test('a gateway is named after its run', () => {
  expect(gateway).toBe(`${name}-gateway`)
  for (const one of [name, gateway]) expect(nameOfRun([`/${one}`])).toBe('r1')
  expect(earlierGateway([`/${gateway}`])).toBeUndefined()
})

test('what an earlier version has journalled, and called its gateway, is known', () => {
  expect(journalledHandle({ name, door: `${name}-door`, socket })).toEqual({ name, gateway, socket })
  expect(nameOfRun([`/${name}-door`])).toBe('r1')
  expect(earlierGateway([`/${name}-door`])).toEqual({ from: `${name}-door`, to: gateway })
  expect(earlierGateway(['/of-another-door'])).toBeUndefined()
})
