import type { AddressTexts } from '../../base/address-texts.ts'
import type { Verdict } from '../../base/verdict.ts'
import type { RunnerConfig } from '../../config/index.ts'
import { type Dormitory, type Granted, mayBegin } from '../../execution/index.ts'
import type { Journal } from '../../journal/index.ts'
import type { OwnClaims } from '../../placement/index.ts'
import type { Trust } from '../../trust/index.ts'
import { finalReason } from '../disposition.ts'
import type { Evaluator, Subject } from '../evaluate.ts'
import { totalLimits } from '../facts/capacity.ts'
import { trustSubjectOf, unsafeGrace } from '../trust-subject.ts'
import type { AdmissionState, ServiceState } from './admission-state.ts'

/** Versions that are looked back: a name that is updated more often while one runs is not followed further. */
const MAX_OLDER = 64

export interface StateReaderComponents {
  journal: Pick<Journal, 'announcements' | 'verdicts' | 'runs'>
  evaluator: Pick<Evaluator, 'factsFor'>
  dormitory: Pick<Dormitory, 'state' | 'get' | 'until'>
  runs: { granted(): Granted[] }
  claims: Pick<OwnClaims, 'get' | 'held'>
  /** There is no other node to ask. */
  isAlone(): boolean
  /** The service as it is known here; undefined where it is forgotten. */
  subjectOf(id: string): Subject | undefined
  trust: Pick<Trust, 'factsOf'>
  texts: AddressTexts
}

/** Reads what a plan depends on, as it is now. What costs a look into the journal is read when it is needed. */
export interface StateReader {
  read(config: RunnerConfig, about: { subject: Subject; verdict: Verdict; sinceEvent: number }): AdmissionState
  /** `ttlMs`: another DORMITORY.TTL_SECONDS than the one in force. `placed`: as if its claim stood. */
  service(subject: Subject, assume?: { ttlMs?: number; placed?: boolean }): ServiceState
}

export function createStateReader(components: StateReaderComponents): StateReader {
  const { journal, evaluator, dormitory, runs, claims, subjectOf, trust, texts } = components

  function service(
    subject: Subject,
    { ttlMs, placed = false }: { ttlMs?: number; placed?: boolean } = {},
  ): ServiceState {
    const { id, signed } = subject
    const { run, expires, author } = signed.body
    return {
      id,
      author: texts.ofBytes(author),
      get final() {
        return finalReason({
          replaced: journal.announcements.stateOf(id)?.state === 'superseded',
          begunTask: run.kind !== 'service' && (journal.runs.ofService(id)?.handle ?? null) !== null,
        })
      },
      get begins() {
        return mayBegin(run.kind, journal.runs.ofService(id))
      },
      get placed() {
        return placed || claims.get(id)?.stands === true || components.isAlone()
      },
      get until() {
        const since = dormitory.get(id)?.since ?? dormitory.state().now
        return dormitory.until({ id, since, expires: expires * 1000 }, ttlMs)
      },
      get graceMs() {
        return unsafeGrace(trust.factsOf(trustSubjectOf(signed)))
      },
      get older() {
        return olderVersions(journal.announcements, subject)
      },
    }
  }

  return {
    service,
    read(config, { subject, verdict, sinceEvent }) {
      return {
        mayRedirect: mayRedirect(config),
        limits: totalLimits(config),
        resultBytes: config.LIMITS.RESULTS.BYTES,
        runs: runs.granted(),
        claims: claims.held(),
        dormitory: dormitory.state(),
        sinceEvent,
        get facts() {
          return evaluator.factsFor(subject)
        },
        get ended() {
          const here = new Set(this.facts.running.map(({ id }) => id))
          const gone = (id: string) => !here.has(id) && journal.runs.ofService(id) !== undefined
          return new Set((verdict.evict ?? []).filter(gone))
        },
        service: service(subject),
        serviceOf(id) {
          const other = subjectOf(id)
          return other && { ...service(other), subject: other }
        },
        verdictOf: (id) => journal.verdicts.latest(id)?.verdict,
      }
    },
  }
}

/** The versions before it, the latest first. */
export function olderVersions(
  announcements: Pick<Journal['announcements'], 'stateOf'>,
  { predecessor }: Pick<Subject, 'predecessor'>,
): string[] {
  const found: string[] = []
  for (let id = predecessor; id !== undefined && found.length < MAX_OLDER; ) {
    found.push(id)
    id = announcements.stateOf(id)?.predecessor
  }
  return found
}

/** Does REDIRECT let this node redirect anything? */
export function mayRedirect({ REDIRECT, REDIRECTION_DEPTH }: RunnerConfig): boolean {
  return REDIRECT !== 'never' && REDIRECTION_DEPTH > 0
}
