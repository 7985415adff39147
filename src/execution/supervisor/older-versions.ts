import type { RunJournal } from '../journal.ts'
import type { RunSpec } from './run-spec.ts'
import type { RunWorker } from './worker-types.ts'

/** Older versions of a service, by the id of the one before it. `workers`: by service id. */
export interface OlderVersions {
  /** Those that run here: the one before, and those before it that a failed update left running. */
  underWay(replaces: string | undefined): string[]
  /** Of these, the ones that end by themselves again and again: nothing goes back to them, and each would keep its capacity. */
  failing(replaces: string | undefined): string[]
}

export function createOlderVersions(
  journal: Pick<RunJournal, 'ofService'>,
  workers: ReadonlyMap<string, Pick<RunWorker, 'failing'>>,
): OlderVersions {
  function underWay(replaces: string | undefined): string[] {
    const found: string[] = []
    const seen = new Set<string>()
    for (let older = replaces; older !== undefined && !seen.has(older); ) {
      seen.add(older)
      if (workers.has(older)) found.push(older)
      const record = journal.ofService(older)
      older = record === undefined ? undefined : (record.plan as RunSpec).replaces
    }
    return found
  }

  return {
    underWay,
    failing: (replaces) => underWay(replaces).filter((older) => workers.get(older)?.failing === true),
  }
}
