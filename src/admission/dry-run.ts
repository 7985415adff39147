import { isDeepStrictEqual } from 'node:util'
import type { ExecutorName, Verdict } from '../base/verdict.ts'
import type { RunnerConfig } from '../config/index.ts'
import { bestFirst, type ParkedService, selectEvictions } from '../execution/index.ts'
import { limitError, type NodeFacts, type RunningService } from '../runner/index.ts'
import type { Assumed } from '../trust/index.ts'
import { beyondLimits, declined, dispositionOf, finalVerdict, mayRun, moved, parkedVerdict } from './disposition.ts'
import type { AskRunner, Subject } from './evaluate.ts'
import type { ReevaluatorComponents } from './reevaluate-components.ts'
import { trustSubjectOf } from './trust-subject.ts'
import type { Change, Disposition, Preview } from './types.ts'

/** Services that are asked about together: few, because what is asked about is read and written down in one go. */
const BATCH_SIZE = 4
/** A person waits for the answer: of a larger journal the oldest are asked about, and it is said how many are not. */
const MAX_SCREENED = 10_000
/** Changes that are told one by one. */
const MAX_LISTED = 1000

export type DryRunComponents = Pick<
  ReevaluatorComponents,
  'evaluator' | 'applier' | 'facts' | 'dormitory' | 'granted' | 'subjectOf' | 'texts' | 'trust' | 'live' | 'forgotten'
> & {
  split(): { held: RunningService[]; asked: RunningService[] }
  byCurrentRank(
    asked: readonly RunningService[],
    held: readonly RunningService[],
    config: RunnerConfig,
    rankOf: (subject: Subject, known: NodeFacts) => Promise<number | undefined>,
  ): Promise<RunningService[]>
  changeOf(subject: Subject, from: Disposition, outcome: Pick<Change, 'to' | 'reasons'>): Change
  /** What is refused or passed on, and could begin. */
  idleSubjectOf(id: string): Subject | undefined
  idleDisposition(id: string): Disposition | undefined
}

/** What re-deciding would do, on paper: `held` is who would run when it is over. */
export async function dryRun(
  components: DryRunComponents,
  ask: AskRunner,
  config: RunnerConfig,
  { signal, assumed }: { signal?: AbortSignal | undefined; assumed?: Assumed | undefined },
): Promise<Preview> {
  const { applier, facts, dormitory, granted, subjectOf, texts, trust, changeOf } = components
  const { held, asked } = components.split()
  const mayRedirect = config.REDIRECT !== 'never' && config.REDIRECTION_DEPTH > 0
  const changes: Change[] = []
  /** of what is refused or passed on, and stays one of the two */
  const others: Change[] = []
  /** who would sleep, and where it stands now */
  const parked = new Map<string, { sleeper: ParkedService; subject: Subject; from: Disposition; verdict: Verdict }>()

  const askAbout = (subject: Subject, known: NodeFacts) =>
    components.evaluator.evaluateWith(ask, subject, known, assumed)

  function note(subject: Subject, from: Disposition, verdict: Verdict): void {
    const to = dispositionOf(verdict)
    if (to !== from) changes.push(changeOf(subject, from, { to, reasons: verdict.reasons }))
  }

  /** It ends, and begins again by another executor: at once, as it holds its room. */
  function move(subject: Subject, verdict: Verdict, moves: ExecutorName): void {
    if (applier.noRestartReason(subject) !== undefined) park(subject, 'run', verdict)
    else changes.push({ ...changeOf(subject, 'run', { to: 'parked', reasons: verdict.reasons }), moves })
  }

  function park(subject: Subject, from: Disposition, asked: Verdict): void {
    const { id, arrived } = subject
    const why = from === 'run' ? applier.noRestartReason(subject) : undefined
    const verdict = why === undefined ? asked : finalVerdict(asked, why, mayRedirect)
    if (dispositionOf(verdict) !== 'parked') {
      note(subject, from, verdict)
      return
    }
    const sleeper = { id, arrived, rank: verdict.rank ?? 0, on: [], since: 0, expires: 0 }
    parked.set(id, { sleeper, subject, from, verdict })
  }

  const rankOf = async (subject: Subject, known: NodeFacts) => (await askAbout(subject, known)).rank
  for (const running of await components.byCurrentRank(asked, held, config, rankOf)) {
    signal?.throwIfAborted()
    const subject = subjectOf(running.id)
    const executor = granted().find(({ service }) => service === running.id)?.grant.executor
    if (subject === undefined) {
      held.push(running)
      continue
    }
    const here = await askAbout(subject, facts.assuming(held, { config, machine: false, executor, only: true }))
    const stays = here.run !== false
    const verdict = stays ? here : await askAbout(subject, facts.assuming(held, { config, machine: false }))
    // what moves holds its room until it begins again
    if (verdict.run !== false) held.push({ ...running, rank: verdict.rank ?? 0 })
    if (verdict.run === false) park(subject, 'run', verdict)
    else if (executor !== undefined && verdict.run.executor !== executor) {
      move(subject, moved(verdict, { executor }, verdict.run), verdict.run.executor)
    }
  }
  for (const { id } of dormitory.all()) {
    const subject = subjectOf(id)
    if (subject !== undefined) await admit(subject, 'parked')
  }
  const { candidates, ...rest } = await screen()
  for (const { subject, from } of candidates) await admit(subject, from)
  const row = [...parked.values()].sort((a, b) => bestFirst(a.sleeper, b.sleeper))
  for (const [index, { subject, from, verdict }] of row.entries()) {
    const full = { rule: 'dormitory', outcome: 'fail' as const, message: 'DORMITORY.MAX is reached' }
    note(subject, from, index < config.DORMITORY.MAX ? verdict : declined(verdict, full, mayRedirect))
  }
  const all = [...changes, ...others]
  const told = all.slice(0, MAX_LISTED)
  return { changes: told, more: all.length - told.length, ...rest, forgotten: components.forgotten() }

  /** Gives it what room there is, on paper. */
  async function admit(subject: Subject, from: Disposition): Promise<void> {
    signal?.throwIfAborted()
    const others = held.filter((other) => other.id !== subject.predecessor)
    const known = facts.assuming(others, { config })
    const verdict = grantedVerdict(await askAbout(subject, known), subject, known)
    if (verdict.run === false) {
      park(subject, from, verdict)
      return
    }
    note(subject, from, verdict)
    const gone = evictionsFor(verdict, others) ?? []
    held.splice(0, held.length, ...others.filter((other) => !gone.includes(other.id)), runningOf(subject, verdict))
    for (const other of gone) evict(other, subject)
  }
  /** Everything that is refused or passed on is asked about, as if there were all the room; those that are admitted, best first. */
  async function screen() {
    const empty = facts.assuming([], { config, machine: false })
    const candidates: { sleeper: ParkedService; subject: Subject; from: Disposition }[] = []
    const pages = { asked: 0, notAsked: 0 }
    for (let after = 0; ; ) {
      signal?.throwIfAborted()
      const rows = components.live(after, BATCH_SIZE)
      const last = rows.at(-1)
      if (last === undefined) break
      after = last.row
      const subjects = rows.flatMap(({ id }) => components.idleSubjectOf(id) ?? []).filter(isConcerned)
      if (pages.asked >= MAX_SCREENED) {
        pages.notAsked += subjects.length
        continue
      }
      pages.asked += subjects.length
      const verdicts = await Promise.all(subjects.map((subject) => askAbout(subject, empty)))
      for (const [index, subject] of subjects.entries()) {
        const [verdict, from] = [verdicts[index], components.idleDisposition(subject.id)]
        if (verdict === undefined || from === undefined) continue
        const { id, arrived } = subject
        const sleeper = { id, arrived, rank: verdict.rank ?? 0, on: [], since: 0, expires: 0 }
        if (mayRun(verdict)) candidates.push({ sleeper, subject, from })
        else if (dispositionOf(verdict) !== from) {
          others.push(changeOf(subject, from, { to: dispositionOf(verdict), reasons: verdict.reasons }))
        }
      }
    }
    candidates.sort((a, b) => bestFirst(a.sleeper, b.sleeper))
    return { candidates, ...pages }
  }

  /** Of a policy everything; of a statement what it says something new about. */
  function isConcerned({ signed }: Subject): boolean {
    if (assumed === undefined) return true
    const about = trustSubjectOf(signed)
    return !isDeepStrictEqual(trust.factsOf(about), trust.factsOf(about, { assumed }))
  }

  /** As the node would let it: within LIMITS, and where there is room. */
  function grantedVerdict(verdict: Verdict, subject: Subject, known: NodeFacts): Verdict {
    if (verdict.run === false) return verdict
    const problem = limitError(verdict, texts.ofBytes(subject.signed.body.author), known)
    if (problem !== undefined) return declined(verdict, beyondLimits(problem), mayRedirect)
    if (evictionsFor(verdict, known.running) !== undefined) return verdict
    const reason = { rule: 'capacity', outcome: 'defer' as const, message: 'there is no room for it' }
    return parkedVerdict({ ...verdict, redirect: verdict.redirect || mayRedirect }, [{ on: 'capacity' }], reason)
  }

  /** Who would end for it; undefined where even that makes no room. */
  function evictionsFor(
    { run, evict: named = [] }: Verdict,
    others: readonly RunningService[],
  ): readonly string[] | undefined {
    if (run === false) return undefined
    const offered = named.filter((id) => others.some((other) => other.id === id))
    const freeWithout = (going: readonly string[]) =>
      facts.assuming(
        others.filter(({ id }) => !going.includes(id)),
        { config, machine: false },
      ).capacity
    return selectEvictions(run, offered, freeWithout)
  }

  function evict(id: string, by: Subject): void {
    const subject = subjectOf(id)
    if (subject === undefined) return
    const before = changes.findIndex((change) => change.id === id)
    if (before >= 0) changes.splice(before, 1)
    const reason = { rule: 'eviction', outcome: 'defer' as const, message: `it makes room for ${by.id}` }
    const rank = facts.running().find((running) => running.id === id)?.rank
    const verdict = { run: false as const, redirect: mayRedirect, rank, reasons: [] }
    const from = dormitory.get(id) === undefined ? 'run' : 'parked'
    park(subject, from, parkedVerdict(verdict, [{ on: 'capacity' }], reason))
  }

  function runningOf({ id, signed }: Subject, { run, rank }: Verdict): RunningService {
    const grant = run === false ? undefined : run
    return {
      id,
      author: texts.ofBytes(signed.body.author),
      name: signed.body.name,
      rank: rank ?? 0,
      own: false,
      memory: grant?.memoryBytes ?? 0,
      cpu: grant?.cpuMillicores ?? 0,
      disk: grant?.diskBytes ?? 0,
      pids: grant?.pids ?? 0,
    }
  }
}
