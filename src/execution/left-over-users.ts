import type { RunRecord } from '../base/run-record.ts'
import type { RunJournal } from './journal.ts'
import { buildIdOf } from './supervisor/run-spec.ts'
import type { UserIds } from './user-ids.ts'

type Components = { readonly userIds: UserIds; readonly journal: Pick<RunJournal, 'get'> }

/**
 * Gives back the users that an earlier process has left with what no journalled run explains. That may still run: its user is
 * given to another run when its executor has answered, and what it found is removed. `adoptions`: by the executor's name.
 */
export async function releaseLeftOver(
  { userIds, journal }: Components,
  { unfinished, adoptions }: { unfinished: readonly RunRecord[]; adoptions: ReadonlyMap<string, Promise<unknown>> },
): Promise<void> {
  const goesOn = new Set(unfinished.flatMap(({ runId }) => [runId, buildIdOf(runId)]))
  const leftOver = userIds.holders().filter((runId) => !goesOn.has(runId))
  // which executor had what was ready for a run, the journal does not say
  const all = Promise.all(adoptions.values())
  const swept = (runId: string) => adoptions.get(journal.get(runId)?.executor ?? '') ?? all
  await Promise.allSettled([all, ...leftOver.map((runId) => swept(runId).then(() => userIds.release(runId)))])
}
