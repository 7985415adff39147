import { totalmem } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { availableCapacity, machineCapacity, machineWith } from '../../../src/admission/facts/capacity.ts'
import { systemMachine } from '../../../src/admission/facts/host-resources.ts'
import { forAll } from '../../fixtures/property.ts'
import { tempDir } from '../../fixtures/temp-dir.ts'

const resources = (memoryBytes: number, cpuMillicores: number, diskBytes: number, pids: number, runs: number) => {
  return { memoryBytes, cpuMillicores, diskBytes, pids, runs }
}
const total = resources(1000, 4000, 500, 100, 4)
const machine = { memoryBytes: 10_000, memoryTotalBytes: 20_000, cpuMillicores: 8000, diskBytes: 10_000 }
const one = { memory: 300, cpu: 500, disk: 100, pids: 10 }
const huge = { memory: 9999, cpu: 9999, disk: 9999, pids: 9999 }

describe('capacity', () => {
  it.each([
    ['nothing runs: the limits', [], machine, total],
    ['a run takes what it was granted', [one], machine, resources(700, 3500, 400, 90, 3)],
    ['the machine has less memory', [], { ...machine, memoryBytes: 5 }, { ...total, memoryBytes: 5 }],
    ['the machine has fewer cores', [one], { ...machine, cpuMillicores: 1000 }, resources(700, 500, 400, 90, 3)],
    ['the disk is nearly full', [], { ...machine, diskBytes: 7 }, { ...total, diskBytes: 7 }],
    ['more is granted than a new policy allows', [huge], machine, resources(0, 0, 0, 0, 3)],
    ['it is unknown what the machine has', [], undefined, total],
  ])('%s', (_what, held, has, free) => {
    expect(availableCapacity(total, held, has)).toEqual(free)
  })

  it('is never negative, and never more than the limits or the machine', () => {
    const amount = fc.nat(5000)
    const held = fc.array(fc.record({ memory: amount, cpu: amount, disk: amount, pids: amount }), { maxLength: 6 })
    forAll(100, [held, amount], (runs, memoryBytes) => {
      const free = availableCapacity(total, runs, { ...machine, memoryBytes })
      for (const value of Object.values(free)) expect(value).toBeGreaterThanOrEqual(0)
      expect(free.memoryBytes).toBeLessThanOrEqual(Math.min(total.memoryBytes, memoryBytes))
      expect(free.runs).toBe(Math.max(0, 4 - runs.length))
    })
  })

  it('of the machine alone is what it has, less the cores that were granted', () => {
    expect(machineCapacity([one], machine)).toEqual({ memoryBytes: 10_000, cpuMillicores: 7500, diskBytes: 10_000 })
    expect(machineCapacity([huge], machine).cpuMillicores).toBe(0)
  })

  it('as if a run were gone, the machine has its grant back, but not more than there is', () => {
    expect(machineWith(machine, [one], []).memoryBytes).toBe(10_300)
    expect(machineWith({ ...machine, memoryTotalBytes: 10_100 }, [one], []).memoryBytes).toBe(10_100)
    expect(machineWith(machine, [], [one])).toEqual({ ...machine, memoryBytes: 9700, diskBytes: 9900 })
  })
})

test('the machine says what is free on it', async () => {
  const dir = await tempDir()
  const measured = await systemMachine(dir).read()
  expect(measured.memoryBytes).toBeGreaterThan(0)
  expect(measured.memoryBytes).toBeLessThanOrEqual(measured.memoryTotalBytes)
  expect(measured.memoryTotalBytes).toBeLessThanOrEqual(totalmem())
  expect(measured.cpuMillicores % 1000).toBe(0)
  expect(measured.diskBytes).toBeGreaterThan(0)
  await expect(systemMachine(join(dir, 'gone')).read()).rejects.toThrow('ENOENT')
})
