import { parseCid } from '../../../protocols/encoding.ts'
import { nowSeconds, sleep } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import { sanitizeText } from '../../base/format.ts'
import type { LogLine } from '../../node/types.ts'
import type { Cli } from '../cli.ts'
import { FailedError } from '../errors.ts'
import { lastAnswerLine } from '../publishing/receipt-tracker.ts'
import { type Answer, askAll } from './ask-all.ts'
import { createMerge } from './merge.ts'
import { noRunReason } from './no-run-reason.ts'
import { privateAddressesHint } from './private-addresses-hint.ts'
import { hasRun, type ServiceTarget, type Version } from './service-target.ts'
import { noteWaiting } from './waiting-note.ts'

/** Others that may have a log are waited for so long after the first that has one. */
const OTHERS_MS = 1_000
/** While runs are followed: how often it is looked whether there are others. */
const LOOK_MS = 3_000

/** A line, and where it comes from: `peerId` is missing where it is the node of this folder. */
export type ReadLine = LogLine & { readonly seq?: number | undefined; readonly peerId?: string | undefined }

type Options = { readonly tail: number; readonly follow: boolean }

/** One run, here or on another node. */
type Source = {
  readonly version: Version
  /** undefined: here */
  readonly peerId: string | undefined
  readonly state: string
  /** it may still write */
  readonly open: boolean
}

/**
 * The logs of all runs of a service, wherever they are: version by version, those that are over first. What cannot be
 * read is said. `follow` goes on with those that run, and with what begins meanwhile, until none does.
 */
export async function* readLogs(cli: Cli, target: ServiceTarget, options: Options): AsyncGenerator<ReadLine> {
  const { sources, gone, why, hint } = await firstLook(cli, target)
  if (sources.length === 0 && gone.length === 0) {
    throw new FailedError(`no node has a log of ${JSON.stringify(sanitizeText(target.label, 80))}: ${why}${hint}`)
  }
  for (const line of gone) yield note(cli, line)
  const headed = sources.length > 1 || gone.length > 0
  let failure: unknown
  let read = 0
  const past = options.follow ? sources.filter(({ open }) => !open) : sources
  for (const source of past) {
    try {
      if (headed) yield note(cli, heading(source), source)
      yield* linesOf(cli, target, source, { ...options, follow: false })
      read++
    } catch (error) {
      cli.signal.throwIfAborted()
      failure = error
      if (headed) yield note(cli, `its log cannot be read: ${messageOf(error)}`, source)
    }
  }
  const open = sources.filter((source) => options.follow && source.open)
  if (open.length > 0) yield* follow(cli, target, open, options)
  else if (read === 0) throw failure ?? new FailedError(`no log of it can be read: ${gone.join('; ')}${hint}`)
}

async function firstLook(cli: Cli, target: ServiceTarget): ReturnType<typeof look> {
  using _waiting = noteWaiting(cli)
  return await look(cli, target)
}

/** Runs that have a log, oldest version first, and what is known of those that cannot be read. */
async function look(
  cli: Cli,
  target: ServiceTarget,
): Promise<{ sources: Source[]; gone: string[]; why: string; hint: string }> {
  const versions = await target.versions()
  const here = versions.filter(({ run }) => run !== undefined)
  const elsewhere = versions.some(({ reports }) => reports.some(hasRun))
  // a node that runs it and did not publish it may read its own log only
  const answers = here.length > 0 && !elsewhere ? [] : await askThem(cli, target, versions)
  const sources = [
    ...here.map((version) => sourceHere(version)),
    ...answers.filter(({ receipt }) => hasRun(receipt)).map(sourceThere),
  ]
  const order = (source: Source) => [versions.length - versions.indexOf(source.version), source.open ? 1 : 0] as const
  sources.sort((a, b) => order(a)[0] - order(b)[0] || order(a)[1] - order(b)[1])
  const now = nowSeconds(cli.clock)
  const gone = versions.flatMap((version) => {
    const isRead = (peerId: string) => sources.some((one) => one.version === version && one.peerId === peerId)
    const which = version.seq === undefined ? '' : `version ${version.seq}: `
    const lost = version.reports.filter((receipt) => hasRun(receipt) && !isRead(receipt.peerId))
    return lost.map((receipt) => {
      const answer = answers.find((one) => one.version === version && one.receipt.peerId === receipt.peerId)
      if (answer === undefined) return `${which}${lastAnswerLine(receipt, receipt.peerId, now)}`
      return `${which}${receipt.peerId} has no log of it any more (${answer.receipt.state})`
    })
  })
  const why = noRunReason({ versions, answers, nowSeconds: now })
  return { sources, gone, why, hint: privateAddressesHint(target, answers) }
}

async function askThem(cli: Cli, target: ServiceTarget, versions: readonly Version[]): Promise<Answer[]> {
  const peer = await target.peer()
  return await askAll(cli, peer, versions, ({ receipt }) => (hasRun(receipt) ? OTHERS_MS : undefined))
}

/** Reads what is under way, and looks again and again whether something has begun, until nothing is under way. */
async function* follow(
  cli: Cli,
  target: ServiceTarget,
  begun: readonly Source[],
  options: Options,
): AsyncGenerator<ReadLine> {
  const { clock, signal } = cli
  const lines = createMerge<ReadLine>()
  /** when the last line of each was written: a log that is opened again goes on after it */
  const readTo = new Map<string, number>()
  const reading = new Set<string>()
  let ended = Promise.withResolvers<void>()

  async function* read(source: Source, first: boolean): AsyncGenerator<ReadLine> {
    const key = keyOf(source)
    const after = readTo.get(key)
    if (after === undefined && (!first || begun.length > 1)) yield note(cli, heading(source), source)
    for await (const line of linesOf(cli, target, source, first ? options : { ...options, tail: 10_000 })) {
      if (after !== undefined && line.at <= after) continue
      readTo.set(key, Math.max(line.at, readTo.get(key) ?? 0))
      yield line
    }
  }
  function begin(sources: readonly Source[], first: boolean): void {
    for (const source of sources) {
      const key = keyOf(source)
      if (reading.has(key)) continue
      reading.add(key)
      lines.add(read(source, first), (error) => {
        reading.delete(key)
        ended.resolve()
        // one that broke off is opened again as long as its run goes on
        if (error === undefined) readTo.set(key, Number.POSITIVE_INFINITY)
      })
    }
  }
  async function lookAgain(): Promise<void> {
    for (;;) {
      await Promise.race([sleep(clock, LOOK_MS, { signal }), ended.promise])
      ended = Promise.withResolvers()
      const { sources } = await look(cli, target)
      const open = sources.filter((source) => source.open && readTo.get(keyOf(source)) !== Number.POSITIVE_INFINITY)
      begin(open, false)
      if (open.length === 0 && reading.size === 0) return
    }
  }
  begin(begun, true)
  lookAgain().then(
    () => lines.close(),
    (error: unknown) => lines.close(error),
  )
  yield* lines
}

async function* linesOf(cli: Cli, target: ServiceTarget, source: Source, options: Options): AsyncGenerator<ReadLine> {
  const { version, peerId } = source
  const asked = { ...options, signal: cli.signal }
  const lines =
    peerId === undefined
      ? target.client?.logs(version.id, asked)
      : (await target.peer()).logsAt(peerId, parseCid(version.id), asked)
  for await (const line of lines ?? []) {
    yield peerId === undefined ? line : { ...line, seq: version.seq, peerId }
  }
}

function sourceHere(version: Version): Source {
  const state = version.run?.state ?? 'stopped'
  return { version, peerId: undefined, state, open: !['exited', 'failed', 'stopped', 'refused'].includes(state) }
}

function sourceThere({ version, receipt: { peerId, state } }: Answer): Source {
  return { version, peerId, state, open: state === 'running' || state === 'accepted' }
}

function keyOf({ version, peerId }: Source): string {
  return `${version.id} ${peerId ?? ''}`
}

function heading({ version, peerId, state }: Source): string {
  const which = version.seq === undefined ? '' : `version ${version.seq} `
  return peerId === undefined ? `${which}here: ${state}` : `${which}at ${peerId}: ${state}`
}

function note({ clock }: Pick<Cli, 'clock'>, line: string, source?: Source): ReadLine {
  return { stream: 'node', at: clock.now(), line, seq: source?.version.seq, peerId: source?.peerId }
}
