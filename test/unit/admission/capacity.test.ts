import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { availableCapacity, machineWith } from '../../../src/admission/facts/capacity.ts'
import { systemMachine } from '../../../src/admission/facts/host-resources.ts'

const total = { memoryBytes: 1000, cpuMillicores: 4000, diskBytes: 500, pids: 100, runs: 4 }
const machine = { memoryBytes: 10_000, memoryTotalBytes: 20_000, cpuMillicores: 8000, diskBytes: 10_000 }
const one = { memory: 300, cpu: 500, disk: 100, pids: 10 }

describe('capacity', () => {
  it.each([
    ['nothing runs: the limits', [], machine, total],
    [
      'a run takes what it was granted',
      [one],
      machine,
      { memoryBytes: 700, cpuMillicores: 3500, diskBytes: 400, pids: 90, runs: 3 },
    ],
    ['the machine has less memory', [], { ...machine, memoryBytes: 5 }, { ...total, memoryBytes: 5 }],
    [
      'the machine has fewer cores',
      [one],
      { ...machine, cpuMillicores: 1000 },
      { memoryBytes: 700, cpuMillicores: 500, diskBytes: 400, pids: 90, runs: 3 },
    ],
    ['the disk is nearly full', [], { ...machine, diskBytes: 7 }, { ...total, diskBytes: 7 }],
    [
      'more is granted than a new policy allows',
      [{ memory: 9999, cpu: 9999, disk: 9999, pids: 9999 }],
      machine,
      { memoryBytes: 0, cpuMillicores: 0, diskBytes: 0, pids: 0, runs: 3 },
    ],
    ['nobody knows what the machine has', [], undefined, total],
  ])('%s', (_what, held, has, free) => {
    expect(availableCapacity(total, held, has)).toEqual(free)
  })

  it('is never negative, and never more than the limits or the machine', () => {
    const amount = fc.nat(5000)
    const held = fc.array(fc.record({ memory: amount, cpu: amount, disk: amount, pids: amount }), { maxLength: 6 })
    fc.assert(
      fc.property(held, amount, (runs, memoryBytes) => {
        const free = availableCapacity(total, runs, { ...machine, memoryBytes })
        for (const value of Object.values(free)) expect(value).toBeGreaterThanOrEqual(0)
        expect(free.memoryBytes).toBeLessThanOrEqual(Math.min(total.memoryBytes, memoryBytes))
        expect(free.runs).toBe(Math.max(0, 4 - runs.length))
      }),
    )
  })

  it('as if a run were gone, the machine has its grant back, but not more than there is', () => {
    expect(machineWith(machine, [one], []).memoryBytes).toBe(10_300)
    expect(machineWith({ ...machine, memoryTotalBytes: 10_100 }, [one], []).memoryBytes).toBe(10_100)
    expect(machineWith(machine, [], [one])).toEqual({ ...machine, memoryBytes: 9700, diskBytes: 9900 })
  })
})

describe('the machine', () => {
  it('says what is free on it', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'tc-machine-'))
    try {
      const room = await systemMachine(dir).read()
      expect(room.memoryBytes).toBeGreaterThan(0)
      expect(room.memoryBytes).toBeLessThanOrEqual(room.memoryTotalBytes)
      expect(room.memoryTotalBytes).toBeLessThanOrEqual(totalmem())
      expect(room.cpuMillicores % 1000).toBe(0)
      expect(room.diskBytes).toBeGreaterThan(0)
    } finally {
      await rm(dir, { recursive: true })
    }
    await expect(systemMachine(join(dir, 'gone')).read()).rejects.toThrow('ENOENT')
  })
})
