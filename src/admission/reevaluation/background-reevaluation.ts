import { type Clock, nowSeconds, sleep } from '../../base/clock.ts'
import { messageOf, UnavailableError } from '../../base/errors.ts'
import type { Emitter } from '../../base/events.ts'
import type { Log } from '../../base/log.ts'
import type { Candidate, Journal } from '../../journal/index.ts'
import type { AdmissionEvents } from '../events.ts'
import type { Change } from '../views.ts'
import { isSameScope, type ReevaluationScope, servicesIn } from './scope.ts'

/** Services that are asked about together: few, because what follows from their verdicts is written in one go. */
const AT_ONCE = 2
/** Between two pages: with `AT_ONCE`, 333 services a second at most, whatever the journal holds. */
const PAUSE_MS = 6
/** Changes of statements that wait for their turn; where there are more, everything is looked through once instead. */
const MAX_PASSES = 64
/** Changes that are reported with the end of a pass; all of them are counted. */
const MAX_REPORTED = 256
/** A full disk, or a runner that is away, is tried again after a while, which grows. */
const AGAIN_MS = { first: 1000, most: 60_000 }
/** A page that a runner fails on completely is skipped after so many attempts. */
const ATTEMPTS = 3

/** In the journal's `meta`: the passes that are not done, and how far the first one is. */
const PASSES = 'reconsider'

type Pass = ReevaluationScope & { readonly after: number; readonly seen: number }

/** `failed`: so many got no answer of the runner, and stay as they are. */
export type ScreenResult = { readonly candidates: Candidate[]; readonly changes: Change[]; readonly failed: number }

export interface BackgroundReevaluationComponents {
  clock: Clock
  log: Log
  events: Emitter<AdmissionEvents>
  journal: Pick<Journal, 'reevaluations' | 'meta' | 'transaction' | 'forgotten'>
  /** Asks about these as if all of LIMITS were free: settles what is not admitted, answers the others. */
  screen(ids: readonly string[], options: { signal: AbortSignal }): Promise<ScreenResult>
  /** Decides about these, the first with the first claim on capacity. */
  admit(ids: readonly string[], options: { signal: AbortSignal }): Promise<Change[]>
  /** The tree has changed: may that matter to this one? */
  treeMembershipChanged(id: string): boolean
}

/**
 * Decides again about everything live that neither runs nor is parked, where a policy or a statement has changed: in the
 * background, at a bounded rate, from where the last life of the node was killed. All are asked first, then those that
 * are admitted get the capacity that there is, best first.
 */
export interface BackgroundReevaluation extends AsyncDisposable {
  /** Journalled when it returns. `all`: a policy; it begins from the start, whatever was under way. */
  schedule(what: ReevaluationScope): void
  /** Goes on with what is noted. */
  resume(): void
  /** Resolves when nothing is noted any more. */
  idle(): Promise<void>
}

export function createBackgroundReevaluation(components: BackgroundReevaluationComponents): BackgroundReevaluation {
  const { clock, log, events, journal, screen, admit, treeMembershipChanged } = components
  const { reevaluations: store, meta } = journal
  const ending = new AbortController()
  const closing = ending.signal
  let passes = JSON.parse(meta.get(PASSES) ?? '[]') as readonly Pass[]
  let work: Promise<void> | undefined
  let report: { changes: Change[]; changed: number; startedAt: number } | undefined

  function keep(next: readonly Pass[]): void {
    meta.set(PASSES, JSON.stringify(next))
    passes = next
  }

  function schedule(what: ReevaluationScope): void {
    if (what.on === 'all') {
      report = undefined
      journal.transaction(() => {
        store.clear()
        keep([{ ...what, after: 0, seen: 0 }])
      })
      return
    }
    // one that has not begun yet sees this change too
    const [first, ...later] = passes
    if (later.some((pass) => isSameScope(pass, what))) return
    if (passes.length < MAX_PASSES) keep([...passes, { ...what, after: 0, seen: 0 }])
    else if (first !== undefined) keep([first, { on: 'tree', after: 0, seen: 0 }, { on: 'all', after: 0, seen: 0 }])
  }

  /** One page of the pass; false where there is none left. */
  async function screenPage(pass: Pass, attempt: number): Promise<boolean> {
    const rows = store.page(servicesIn(pass), pass.after, nowSeconds(clock), AT_ONCE)
    const last = rows.at(-1)
    if (last === undefined) return false
    const ids = rows.map(({ id }) => id)
    const asked = pass.on === 'tree' ? ids.filter(treeMembershipChanged) : ids
    const { candidates, changes, failed } = await screen(asked, { signal: closing })
    if (failed > 0 && failed === asked.length && attempt + 1 < ATTEMPTS) throw new UnavailableError('the runner fails')
    // a newer policy began from the start meanwhile
    if (passes[0] !== pass) return true
    collect(changes)
    journal.transaction(() => {
      store.put(candidates)
      keep([{ ...pass, after: last.row, seen: pass.seen + asked.length }, ...passes.slice(1)])
    })
    return true
  }

  /** Some of those that are admitted, best first; false where there are none left. */
  async function admitBatch(): Promise<boolean> {
    const ids = store.best(AT_ONCE)
    if (ids.length === 0) return false
    const before = passes[0]
    const changes = await admit(ids, { signal: closing })
    if (passes[0] !== before) return true
    collect(changes)
    store.remove(ids)
    return true
  }

  function collect(changes: readonly Change[]): void {
    report ??= { changes: [], changed: 0, startedAt: clock.monotonic() }
    report.changes = [...report.changes, ...changes].slice(0, MAX_REPORTED)
    report.changed += changes.length
  }

  function done(pass: Pass): void {
    if (passes[0] !== pass) return
    keep(passes.slice(1))
    const { changes, changed, startedAt } = report ?? { changes: [], changed: 0, startedAt: clock.monotonic() }
    report = undefined
    const tookMs = clock.monotonic() - startedAt
    events.emit('node:reconsidered', { services: pass.seen, changed, changes, forgotten: journal.forgotten(), tookMs })
  }

  async function rounds(): Promise<void> {
    for (let failures = 0; passes[0] !== undefined && !closing.aborted; ) {
      const pass = passes[0]
      try {
        if (!(await screenPage(pass, failures)) && !(await admitBatch())) done(pass)
        failures = 0
        await sleep(clock, PAUSE_MS, { signal: closing })
      } catch (error) {
        if (closing.aborted) return
        log.warn('some services were not decided again; it is tried again later', { reason: messageOf(error) })
        const waitMs = Math.min(AGAIN_MS.most, AGAIN_MS.first * 2 ** failures++)
        await sleep(clock, waitMs, { signal: closing }).catch(() => {})
      }
    }
  }

  function resume(): void {
    if (work !== undefined || passes.length === 0 || closing.aborted) return
    work = rounds().finally(() => {
      work = undefined
    })
    work.catch(() => {})
  }

  return {
    schedule,
    resume,
    idle: async () => {
      while (work !== undefined) await work.catch(() => {})
    },
    async [Symbol.asyncDispose]() {
      ending.abort(new UnavailableError('the node is stopping'))
      await work?.catch(() => {})
    },
  }
}
