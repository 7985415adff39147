import type { AddressTexts } from '../base/address-texts.ts'
import { type Clock, nowSeconds } from '../base/clock.ts'
import { InputError, NotFoundError } from '../base/errors.ts'
import { joinWords, sanitizeText } from '../base/format.ts'
import type { RunRecord } from '../base/run-record.ts'
import { usageOf } from '../base/run-usage.ts'
import type { Reason } from '../base/verdict.ts'
import { runSpecOf } from '../execution/index.ts'
import type { AnnouncementRecord, Journal, VerdictRecord } from '../journal/index.ts'
import { healthText, runReasons } from './run-reasons.ts'
import type { SignedService, SignedServices } from './signed-services.ts'
import { serviceState } from './state.ts'
import type { ReceiptView, RunView, ServiceState, ServiceView } from './types.ts'

/** Ids that an ambiguous beginning is answered with. */
const MAX_CANDIDATES = 4

export type { SignedService } from './signed-services.ts'

/** Everything that the journal knows about one service, and its state. */
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
  signed: Pick<SignedServices, 'of'>
  receipts: { views(service: string): ReceiptView[] }
  texts: AddressTexts
  /** Is its run healthy now? */
  healthy(id: string): boolean
  /** how long a service without ports has to be up to be healthy */
  healthyMs(): number
  /** Does it ask other nodes whether its run is wanted? */
  claiming(id: string): boolean
  /** How this node's claim on a replica ranks. */
  claimReasons(entry: ServiceEntry): readonly Reason[]
  /** Where its code came from. */
  codeReasons(entry: ServiceEntry): readonly Reason[]
  /** What the node's prices ask for a run of so long, and what its reward offers. */
  cost(entry: ServiceEntry, ms: number): RunView['cost']
}

/** Everything of a view but where it is parked, and what other nodes claim. */
export type ServiceSummary = Omit<ServiceView, 'parked' | 'placement'>

/** Services as the journal has them: found by id, beginning or name, and shown as views. */
export interface Services {
  get(id: string): ServiceEntry | undefined
  /** By whole id, an unambiguous beginning of one, or a name that one author uses. */
  find(text: string): ServiceEntry
  all(): ServiceEntry[]
  /** Undefined where it is a stop. */
  entryOf(record: AnnouncementRecord): ServiceEntry | undefined
  /** The ids of the services that name each code. */
  idsByCode(): ReadonlyMap<string, readonly string[]>
  view(entry: ServiceEntry): ServiceSummary
  /** The state that its view has. */
  state(entry: ServiceEntry): ServiceState
  /** The reasons that its claim and its run report. */
  runReasons(entry: ServiceEntry): Reason[]
}

export function createServices({
  clock,
  journal,
  signed: signedServices,
  receipts,
  texts,
  healthy,
  healthyMs,
  claiming,
  claimReasons,
  codeReasons,
  cost,
}: ServicesComponents): Services {
  function entryOf(record: AnnouncementRecord | undefined): ServiceEntry | undefined {
    if (record === undefined) return undefined
    const signed = signedServices.of(record)
    if (signed === undefined) return undefined
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

  function state({ id, record, signed, verdict, run }: ServiceEntry): ServiceState {
    const { body } = signed
    return serviceState({
      now: nowSeconds(clock),
      expires: body.expires,
      over: record.state !== 'live',
      stopped: record.state !== 'live' || journal.stops.has(id),
      kind: body.run.kind,
      claiming: claiming(id),
      published: record.own,
      verdict: verdictFacts(verdict),
      run: run && { ...run, healthy: healthy(id) },
    })
  }

  function view(entry: ServiceEntry): ServiceSummary {
    const { record, signed, run } = entry
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
      state: state(entry),
      redirected: record.redirect === true,
      supersededBy: record.state === 'superseded' ? record.endedBy : undefined,
      stoppedBy: record.state === 'stopped' ? record.endedBy : undefined,
      run: run === undefined ? undefined : { ...viewOf(entry, run), healthy: healthy(entry.id) },
      receipts: receipts.views(entry.id),
    }
  }

  /** A run that waits for its code says which source failed last, and one that is not healthy when it is. */
  function viewOf(entry: ServiceEntry, run: RunRecord): Omit<RunView, 'healthy'> {
    const record = journal.runs.usage(run.runId)
    const usage = record && usageOf(record)
    const shown = { ...runView(run), usage, cost: usage && cost(entry, usage.runningMs) }
    const { run: service } = entry.signed.body
    if (run.state === 'running' && service.kind === 'service' && !healthy(entry.id))
      return { ...shown, detail: shown.detail ?? healthText(service, healthyMs()) }
    if (run.state !== 'fetching' || shown.detail !== undefined) return shown
    const failed = codeReasons(entry).findLast(({ outcome }) => outcome === 'fail')
    return { ...shown, detail: failed?.message }
  }

  return {
    get,
    entryOf,
    find,
    view,
    state,
    runReasons(entry) {
      const { id, run, signed } = entry
      const claim = claimReasons(entry)
      if (run === undefined) return [...claim]
      const reasons = runReasons({ run, healthy: healthy(id), service: signed.body.run, healthyMs: healthyMs() })
      return [...reasons, ...claim, ...codeReasons(entry)]
    },
    idsByCode: () => journal.announcements.idsByCode(),
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
    network: runSpecOf(run).grant.network,
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
