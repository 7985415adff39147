import { expect, it } from 'vitest'
import { isRetryable } from '../../../../src/base/errors.ts'
import { createUnfitMachines } from '../../../../src/execution/swarm/unfit-machines.ts'

it('nothing is placed on a machine that has dropped a limit, until its engine may have been updated', () => {
  let now = 0
  const machines = createUnfitMachines({ clock: { monotonic: () => now } })
  expect([machines.constraints(), machines.note()]).toEqual([[], ''])
  const error = machines.add('m1', ['pids', 'system calls'])
  const sentence =
    'the machine m1 of the swarm does not hold of a run: pids, system calls; update its engine, or drain it'
  expect(error.message).toBe(sentence)
  // other machines may hold it
  expect(isRetryable(error)).toBe(true)
  machines.add('m2', ['memory'])
  expect(machines.constraints()).toEqual(['node.id!=m1', 'node.id!=m2'])
  expect(machines.note()).toContain(`; ${sentence}`)
  now = 10 * 60_000
  expect(machines.constraints()).toEqual([])
})
