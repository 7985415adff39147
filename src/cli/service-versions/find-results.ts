import { parseCid } from '../../../protocols/encoding.ts'
import { nowSeconds } from '../../base/clock.ts'
import { InputError, messageOf } from '../../base/errors.ts'
import { sanitizeText } from '../../base/format.ts'
import type { Cli } from '../cli.ts'
import { FailedError } from '../errors.ts'
import { askAll } from './ask-all.ts'
import { noRunReason } from './no-run-reason.ts'
import { privateAddressesHint } from './private-addresses-hint.ts'
import type { ServiceTarget, Version } from './service-target.ts'
import { noteWaiting } from './waiting-note.ts'

/** Others that may be done are waited for so long after the first that is. */
const OTHERS_MS = 1_000
/** Refusals that a sentence holds. */
const MAX_REASONS = 4

/** Results that can be read. Dispose of them when they are. */
export type FoundResults = AsyncDisposable & {
  readonly id: string
  readonly seq: number | undefined
  /** undefined: the node of this folder */
  readonly peerId: string | undefined
  readonly code: string
  /** of the archive */
  readonly bytes: number
  /** what is missing or left out */
  readonly detail: string | undefined
  readonly tar: AsyncIterable<Uint8Array>
}

/**
 * The results of the newest version that has some: of this node, then of others, each asked until one gives them. `node`: of this peer
 * alone. Throws a FailedError that says what each answered.
 */
export async function findResults(
  cli: Cli,
  target: ServiceTarget,
  { node }: { node: string | undefined },
): Promise<FoundResults> {
  using _waiting = noteWaiting(cli)
  const versions = await target.versions()
  if (versions.length > 0 && versions.every(({ kind }) => kind === 'service'))
    throw new InputError(`${JSON.stringify(sanitizeText(target.label, 80))} is a service; only a task leaves results`)
  const reasons: string[] = []
  const own = target.client === undefined ? undefined : (await target.client.node({ signal: cli.signal })).peerId
  for (const version of versions) {
    const isHere = version.run !== undefined && (node === undefined || node === own)
    const found = isHere ? await attempt('this node', () => here(cli, target, version)) : undefined
    if (found !== undefined) return found
  }
  const peer = await target.peer()
  const asked =
    node === undefined
      ? await doneAt(cli, target, versions)
      : { places: versions.map((version) => ({ version, peerId: node })), why: '' }
  for (const { version, peerId } of asked.places) {
    const found = await attempt(peerId, async () => {
      const results = await peer.resultsAt(peerId, parseCid(version.id), { signal: cli.signal })
      const { code, size, detail } = results
      return {
        ...{
          id: version.id,
          seq: version.seq,
          peerId,
          code: code.toString(),
          bytes: size,
          detail,
          tar: results.chunks(),
        },
        [Symbol.asyncDispose]: () => results[Symbol.asyncDispose](),
      }
    })
    if (found !== undefined) return found
  }
  const why = reasons.length > 0 ? reasons.slice(0, MAX_REASONS).join('; ') : asked.why
  throw new FailedError(`no node gives results of ${JSON.stringify(sanitizeText(target.label, 80))}: ${why}`)

  async function attempt(who: string, open: () => Promise<FoundResults>): Promise<FoundResults | undefined> {
    try {
      return await open()
    } catch (error) {
      cli.signal.throwIfAborted()
      reasons.push(`${who}: ${messageOf(error)}`)
      return undefined
    }
  }
}

async function here({ signal }: Cli, { client }: ServiceTarget, { id, seq }: Version): Promise<FoundResults> {
  if (client === undefined) throw new FailedError('there is no node')
  const { code, bytes, detail } = await client.results(id, { signal })
  if (code === undefined) throw new FailedError(detail ?? 'it keeps none')
  const tar = client.resultsArchive(id, { signal })
  return { id, seq, peerId: undefined, code, bytes, detail, tar, [Symbol.asyncDispose]: async () => {} }
}

/** Nodes that say that the task is done, newest version first. */
async function doneAt(cli: Cli, target: ServiceTarget, versions: readonly Version[]) {
  const isDone = ({ receipt }: { receipt: { state: string } }) => receipt.state === 'done'
  const answers = await askAll(cli, await target.peer(), versions, (answer) => (isDone(answer) ? OTHERS_MS : undefined))
  const done = answers.filter(isDone).toSorted((a, b) => versions.indexOf(a.version) - versions.indexOf(b.version))
  const places = done.map(({ version, receipt }) => ({ version, peerId: receipt.peerId }))
  const why = noRunReason({ versions, answers, nowSeconds: nowSeconds(cli.clock) })
  return { places, why: `no node says that it is done: ${why}${privateAddressesHint(target, answers)}` }
}
