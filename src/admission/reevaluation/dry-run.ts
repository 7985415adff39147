import { isDeepStrictEqual } from 'node:util'
import type { AddressTexts } from '../../base/address-texts.ts'
import type { ExecutorName, Verdict } from '../../base/verdict.ts'
import { bestFirst, type Dormitory, type Granted } from '../../execution/index.ts'
import type { Candidate } from '../../journal/index.ts'
import type { Assumed, Trust } from '../../trust/index.ts'
import type { Evaluator, Subject } from '../evaluate.ts'
import type { NodeFactsSource } from '../facts/node-facts.ts'
import type { StateReader } from '../plan/state-reader.ts'
import { trustSubjectOf } from '../trust-subject.ts'
import type { Change, Reevaluation } from '../views.ts'
import { createAssumedNode } from './assumed-node.ts'
import { netOf } from './disposition-changes.ts'
import { createRounds, type ReevaluationRounds } from './rounds.ts'

/** Services that are asked about together: few, because what is asked about is read and written down in one go. */
const BATCH_SIZE = 4
/** A person waits for the answer: of a larger journal the oldest are asked about, and it is said how many are not. */
const MAX_SCREENED = 10_000
/** Changes that are listed one by one. */
const MAX_LISTED = 1000

export interface DryRunComponents {
  evaluator: Pick<Evaluator, 'evaluateWith'>
  reader: StateReader
  facts: NodeFactsSource
  dormitory: Pick<Dormitory, 'all' | 'state'>
  granted(): Granted[]
  /** Undefined where it is over: stopped, superseded and not running any more, expired, forgotten. */
  subjectOf(id: string): Subject | undefined
  /** The verdict in force, if the runner has given one. */
  verdictOf(id: string): Verdict | undefined
  texts: AddressTexts
  trust: Pick<Trust, 'factsOf'>
  /** Live services of others, page by page, in the order of their arrival. */
  live(after: number, max: number): { row: number; id: string }[]
  forgotten(): number
}

/** What a re-evaluation would do: its rounds, over a node as it would be. Nothing is done or journalled. */
export function createDryRun(components: DryRunComponents): Reevaluation['preview'] {
  const { dormitory, texts, trust, live, forgotten } = components
  return async (ask, config, { signal, assumed } = {}) => {
    const node = createAssumedNode(components, { ask, config, signal, assumed })
    const rounds = createRounds(node, texts)
    const { changes } = await rounds.running()
    const parkedNow = new Set(changes.map(({ id }) => id))
    const parked = dormitory.all().flatMap(({ id }) => (parkedNow.has(id) ? [] : [id]))
    changes.push(...(await rounds.admit(parked)))
    const { candidates, screenedOut, asked, notAsked } = await screenAll(rounds, signal, assumed)
    changes.push(...(await rounds.admit(candidates.sort(bestFirst).map(({ id }) => id))))
    changes.push(...rounds.displacedChanges(node.trimDormitory()))
    const all = [...netOf(changes).map((change) => withMove(change, node.moves.get(change.id))), ...screenedOut]
    const listed = all.slice(0, MAX_LISTED)
    return { changes: listed, more: all.length - listed.length, asked, notAsked, forgotten: forgotten() }
  }

  /** All that is refused or redirected. `screenedOut`: it stays one of the two. */
  async function screenAll(rounds: ReevaluationRounds, signal?: AbortSignal, assumed?: Assumed) {
    const candidates: Candidate[] = []
    const screenedOut: Change[] = []
    let [asked, notAsked, after] = [0, 0, 0]
    for (;;) {
      signal?.throwIfAborted()
      const rows = live(after, BATCH_SIZE)
      const last = rows.at(-1)
      if (last === undefined) return { candidates, screenedOut, asked, notAsked }
      after = last.row
      const subjects = rounds.idleSubjects(rows.map(({ id }) => id)).filter((one) => isConcerned(one, assumed))
      if (asked >= MAX_SCREENED) {
        notAsked += subjects.length
        continue
      }
      asked += subjects.length
      const screened = await rounds.screen(subjects)
      candidates.push(...screened.candidates)
      screenedOut.push(...screened.changes)
    }
  }

  /** Of a policy everything; of a statement what it says something new about. */
  function isConcerned({ signed }: Subject, assumed: Assumed | undefined): boolean {
    if (assumed === undefined) return true
    const about = trustSubjectOf(signed)
    return !isDeepStrictEqual(trust.factsOf(about), trust.factsOf(about, { assumed }))
  }
}

/** A run that moves is parked for a moment only. */
function withMove(change: Change, moves: ExecutorName | undefined): Change {
  return moves === undefined || change.to !== 'parked' ? change : { ...change, moves }
}
