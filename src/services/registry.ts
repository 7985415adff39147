import { decodeSigned, type Signed } from '../../protocols/announcement.ts'
import type { AddressTexts } from '../base/address-texts.ts'
import { type Clock, nowSeconds } from '../base/clock.ts'
import { InputError, NotFoundError } from '../base/errors.ts'
import { joinWords, sanitizeText } from '../base/format.ts'
import { LruMap } from '../base/lru-map.ts'
import type { RunRecord } from '../base/run-record.ts'
import type { Reason, WakeCondition } from '../base/verdict.ts'
import type { AnnouncementRecord, Journal, VerdictRecord } from '../journal/index.ts'
import { runReasons } from './run-reasons.ts'
import { serviceState } from './state.ts'
import type { ReceiptView, RunView, ServiceView } from './types.ts'

/** Decoded bodies that are kept ready; one is a few hundred bytes to 16 KiB. */
const MAX_DECODED = 1024
/** Ids that an ambiguous beginning is answered with. */
const MAX_CANDIDATES = 4

export type SignedService = Extract<Signed, { kind: 'service' }>

/** Everything that the journal knows about one service, and its one word for it. */
export type ServiceEntry = {
  readonly id: string
  readonly record: AnnouncementRecord
  readonly signed: SignedService
  readonly verdict: VerdictRecord | undefined
  readonly run: RunRecord | undefined
}

export interface ServicesComponents {
  clock: Clock
  journal: Pick<Journal, 'announcements' | 'verdicts' | 'runs' | 'stops'>
  receipts: { views(service: string): ReceiptView[] }
  texts: AddressTexts
  /** Is its run healthy now? */
  healthy(id: string): boolean
  /** how long a service without ports has to be up to be healthy */
  healthyMs(): number
  /** Where it sleeps in the dormitory. ms */
  sleeping(id: string): { since: number; until: number; on: readonly WakeCondition[] } | undefined
}

/** Services as the journal has them: found by id, beginning or name, and shown as views. */
export interface Services {
  get(id: string): ServiceEntry | undefined
  /** By whole id, an unambiguous beginning of one, or a name that one author uses. */
  find(text: string): ServiceEntry
  all(): ServiceEntry[]
  view(entry: ServiceEntry): ServiceView
  /** What its run tells of itself; nothing where it has none. */
  runReasons(entry: ServiceEntry): Reason[]
}

export function createServices({
  clock,
  journal,
  receipts,
  texts,
  healthy,
  healthyMs,
  sleeping,
}: ServicesComponents): Services {
  const decoded = new LruMap<string, Signed>(MAX_DECODED)

  function signedOf(record: AnnouncementRecord): Signed {
    const known = decoded.get(record.id)
    if (known !== undefined) return known
    const signed = decodeSigned(record.body, record.sig)
    decoded.set(record.id, signed)
    return signed
  }

  function entryOf(record: AnnouncementRecord | undefined): ServiceEntry | undefined {
    if (record === undefined) return undefined
    const signed = signedOf(record)
    if (signed.kind !== 'service') return undefined
    const { id } = record
    return { id, record, signed, verdict: journal.verdicts.latest(id), run: journal.runs.ofService(id) }
  }

  const get = (id: string) => entryOf(journal.announcements.get(id))

  function find(text: string): ServiceEntry {
    const exact = get(text)
    if (exact !== undefined) return exact
    const named = journal.announcements.named(text).filter(({ kind }) => kind === 'service')
    const ids = text.length >= 8 ? journal.announcements.startingWith(text, MAX_CANDIDATES) : []
    const authors = new Set(named.map(({ author }) => Buffer.from(author).toString('hex')))
    if (authors.size > 1) {
      const choices = named.slice(0, MAX_CANDIDATES).map(({ id }) => id)
      throw new InputError(
        `"${sanitizeText(text, 80)}" is the name of services of ${authors.size} authors; use an id: ${joinWords(choices, 'or')}`,
      )
    }
    if (ids.length > 1) {
      throw new InputError(
        `"${sanitizeText(text, 80)}" begins more than one id: ${joinWords(ids, 'or')}; write more of it`,
      )
    }
    const current = named.find(({ state }) => state === 'live') ?? named[0]
    const entry = current === undefined ? get(ids[0] ?? '') : entryOf(current)
    if (entry === undefined)
      throw new NotFoundError(`no service "${sanitizeText(text, 80)}" is known here; \`list\` shows those that are`)
    return entry
  }

  function view(entry: ServiceEntry): ServiceView {
    const { record, signed, verdict, run } = entry
    const { body } = signed
    return {
      id: entry.id,
      author: texts.ofBytes(body.author),
      name: body.name,
      seq: body.seq,
      title: body.title,
      desc: body.desc,
      code: body.code.toString(),
      kind: body.run.kind,
      replicas: body.replicas,
      ports: (body.run.ports ?? []).map(({ name, port, access }) => ({ name, port, access: access ?? 'author' })),
      issued: body.issued,
      expires: body.expires,
      receivedAt: Math.floor(record.receivedAt / 1000),
      via: record.via,
      depth: record.depth,
      state: serviceState({
        now: nowSeconds(clock),
        expires: body.expires,
        over: record.state !== 'live',
        stopped: record.state !== 'live' || journal.stops.has(entry.id),
        kind: body.run.kind,
        published: record.own,
        verdict: verdictFacts(verdict),
        run: run && { ...run, healthy: healthy(entry.id) },
      }),
      redirected: record.redirect === true,
      supersededBy: record.state === 'superseded' ? record.endedBy : undefined,
      stoppedBy: record.state === 'stopped' ? record.endedBy : undefined,
      run: run === undefined ? undefined : { ...runView(run), healthy: healthy(entry.id) },
      parked: parkedView(entry.id),
      receipts: receipts.views(entry.id),
    }
  }

  function parkedView(id: string): ServiceView['parked'] {
    const sleeper = sleeping(id)
    if (sleeper === undefined) return undefined
    const { since, until, on } = sleeper
    return { since: Math.floor(since / 1000), until: Math.floor(until / 1000), on }
  }

  return {
    get,
    find,
    view,
    runReasons({ id, run, signed }) {
      const { kind, ports = [] } = signed.body.run
      return run === undefined ? [] : runReasons({ run, healthy: healthy(id), kind, ports, healthyMs: healthyMs() })
    },
    all: () =>
      journal.announcements
        .all()
        .map(entryOf)
        .filter((entry) => entry !== undefined),
  }
}

function runView(run: RunRecord): Omit<RunView, 'healthy'> {
  return {
    runId: run.runId,
    executor: run.executor,
    state: run.state,
    since: Math.floor((run.startedAt ?? run.updatedAt) / 1000),
    exitCode: run.exitCode,
    detail: run.detail === '' ? undefined : run.detail,
    restarts: run.restarts,
  }
}

function verdictFacts(record: VerdictRecord | undefined) {
  if (record === undefined) return undefined
  const { verdict } = record
  return {
    run: verdict !== undefined && verdict.run !== false,
    redirect: verdict?.redirect === true,
    parked: (verdict?.park?.length ?? 0) > 0,
  }
}
