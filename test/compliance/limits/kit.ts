import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { executorIn, placeIn, removePlaces, type Seen, tryLimit } from '../../fixtures/execution/limit-trials.ts'
import { makeRunDirs, type RunDirs } from '../../fixtures/execution/run-fixture.ts'
import { canRead, ORDINARY, reportOf } from '../../fixtures/process/report.ts'
import { type Need, needs } from '../../require.ts'
import { type Hold, LIMITS, type LimitName, type Situation, saidOf } from './matrix.ts'

const NEEDS: Record<Situation, readonly Need[]> = {
  docker: ['engine'],
  swarm: ['own-swarm'],
  pool: ['engine', 'root'],
  host: ['bubblewrap', 'root'],
  ungrouped: ['bubblewrap', 'root'],
  ordinary: ['bubblewrap', 'root'],
  permission: ['root'],
  ordinaryPermission: ['root'],
}

/** With the limit, and without: a run that cannot exceed it either way has shown nothing of the limit. */
const EXPECTED: Record<Exclude<Hold, 'not held'>, { granted: readonly Seen[]; more: Seen }> = {
  held: { granted: ['bounded'], more: 'exceeded' },
  'held together': { granted: ['bounded'], more: 'exceeded' },
  watched: { granted: ['ended', 'bounded'], more: 'exceeded' },
  refused: { granted: ['bounded'], more: 'bounded' },
}

const names = Object.keys(LIMITS) as LimitName[]

/** Exceeds each limit there, once as it is and once without it. */
export function describeLimits(situations: readonly Situation[]): void {
  describe.each(situations)('limits, %s', (situation) => {
    const ordinary = situation.startsWith('ordinary')
    const here = NEEDS[situation].every(needs) && (!ordinary || canRead(ORDINARY))
    let dirs: RunDirs & AsyncDisposable
    beforeAll(async () => {
      dirs = await makeRunDirs()
      if (here) await placeIn(situation, dirs)
    })
    afterAll(async () => {
      if (here) await removePlaces(situation, dirs)
      await dirs[Symbol.asyncDispose]()
    })

    const asOrdinary = (...args: string[]) =>
      reportOf('process/limit-trial.ts', { ...ORDINARY, args: [situation, ...args] })
    const held = names.filter((limit) => LIMITS[limit].holds[situation] !== 'not held')

    it.skipIf(!here)('are said as they are', async () => {
      const { unenforcedLimits } = ordinary ? asOrdinary() : await executorIn(situation, dirs).available()
      const said = Object.fromEntries(names.map((limit) => [limit, saidOf(limit, unenforcedLimits)]))
      expect(said).toEqual(Object.fromEntries(names.map((limit) => [limit, LIMITS[limit].holds[situation]])))
    })

    it.skipIf(!here).each(held)('%s: a run that takes more has what the table says', async (limit) => {
      const { granted, more } = EXPECTED[LIMITS[limit].holds[situation] as Exclude<Hold, 'not held'>]
      const seen = ordinary ? asOrdinary(limit).seen : await tryLimit({ situation, dirs, limit })
      expect(granted).toContain(seen.granted)
      if (seen.more !== undefined) expect(seen.more).toBe(more)
    })
  })
}
