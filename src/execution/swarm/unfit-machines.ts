import type { Clock } from '../../base/clock.ts'
import { UnavailableError } from '../../base/errors.ts'
import { LruMap } from '../../base/lru-map.ts'

/** Its engine may have been updated by then. */
const AVOIDED_MS = 10 * 60_000
const MAX_MACHINES = 100

/** Machines whose engine has dropped a limit: for some time nothing is placed there. */
export type UnfitMachines = {
  /** Answers with what to say of it. */
  add(machine: string, missing: readonly string[]): UnavailableError
  /** For a service that is placed now, as Docker writes them. */
  constraints(): string[]
  /** For a run that finds no machine: why these are left out. Empty where there are none. */
  note(): string
}

export function createUnfitMachines({ clock }: { clock: Pick<Clock, 'monotonic'> }): UnfitMachines {
  const known = new LruMap<string, { since: number; why: string }>(MAX_MACHINES)
  const now = () => [...known.entries()].filter(([, { since }]) => clock.monotonic() - since < AVOIDED_MS)

  return {
    add(machine, missing) {
      const lacks = `the machine ${machine} of the swarm does not hold of a run: ${missing.join(', ')}`
      const why = `${lacks}; update its engine, or drain it`
      known.set(machine, { since: clock.monotonic(), why })
      return new UnavailableError(why)
    },
    constraints: () => now().map(([machine]) => `node.id!=${machine}`),
    note: () =>
      now()
        .map(([, { why }]) => `; ${why}`)
        .join('')
        .slice(0, 1000),
  }
}
