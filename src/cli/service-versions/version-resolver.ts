import { parseCid } from '../../../protocols/encoding.ts'
import { RUN_RULES } from '../../../protocols/receipt.ts'
import { nowSeconds, sleep } from '../../base/clock.ts'
import { sanitizeText } from '../../base/format.ts'
import type { BytePipe } from '../../base/stream.ts'
import type { ReceiptView } from '../../node/types.ts'
import type { Cli } from '../cli.ts'
import { FailedError } from '../errors.ts'
import { type Answer, askAll } from './ask-all.ts'
import { noRunReason } from './no-run-reason.ts'
import { privateAddressesHint } from './private-addresses-hint.ts'
import type { ServiceTarget, Version } from './service-target.ts'

/** An older version that runs leads there only when a newer one did not answer for so long. */
const NEWER_MS = 1_000
/** So long what was found last is used, and so long a new look may hold up a connection. */
const CACHED_MS = 1_000
const LOOK_MS = 500

export interface VersionResolver {
  /** The version that new connections go to. Throws a FailedError with the reasons if no node runs any. */
  find(): Promise<Version>
  /** A connection to the newest healthy version; to an older one where that cannot be reached. */
  open(port: string): Promise<{ version: Version; pipe: BytePipe }>
}

/** Leads each connection to the newest version that is healthy somewhere at its time. */
export function createVersionResolver(cli: Cli, target: ServiceTarget): VersionResolver {
  const { clock, signal } = cli
  let last: { at: number; found: readonly Answer[] } | undefined
  let looking: Promise<readonly Answer[]> | undefined

  function look(): Promise<readonly Answer[]> {
    looking ??= lookNow().finally(() => {
      looking = undefined
    })
    return looking
  }

  async function lookNow(): Promise<readonly Answer[]> {
    const versions = await target.versions()
    const newest = versions[0]?.id
    const answers = await askAll(cli, await target.peer(), versions, (answer) => {
      if (!isHealthy(answer.receipt)) return undefined
      return answer.version.id === newest ? 0 : NEWER_MS
    })
    const healthy = answers.filter(({ receipt }) => isHealthy(receipt))
    const found = healthy.length > 0 ? healthy : answers.filter(({ receipt }) => mayBecome(receipt))
    if (found.length === 0) throw noRunError(versions, answers)
    const order = (answer: Answer) => versions.indexOf(answer.version)
    last = { at: clock.monotonic(), found: found.toSorted((a, b) => order(a) - order(b)) }
    return last.found
  }

  /** What runs now; where a new look takes long, what ran a moment ago. */
  async function current(): Promise<readonly Answer[]> {
    if (last === undefined) return await look()
    const { at, found } = last
    if (clock.monotonic() - at < CACHED_MS) return found
    const fresh = look()
    fresh.catch(() => {})
    return await Promise.race([fresh, sleep(clock, LOOK_MS, { signal }).then(() => found)])
  }

  function noRunError(versions: readonly Version[], answers: readonly Answer[]): FailedError {
    const why = noRunReason({ versions, answers, nowSeconds: nowSeconds(clock) })
    const label = JSON.stringify(sanitizeText(target.label, 80))
    return new FailedError(`no node runs ${label} now: ${why}${privateAddressesHint(target, answers)}`)
  }

  async function tryAll(found: readonly Answer[], port: string) {
    const peer = await target.peer()
    let failure: unknown
    for (const { version, receipt } of found) {
      try {
        return { version, pipe: await peer.connectAt(receipt.peerId, parseCid(version.id), port, { signal }) }
      } catch (error) {
        signal.throwIfAborted()
        failure = error
      }
    }
    throw failure
  }

  return {
    async find() {
      const [first] = await look()
      if (first === undefined) throw new FailedError(`no node runs ${JSON.stringify(target.label)} now`)
      return first.version
    },
    async open(port) {
      const found = await current()
      try {
        return await tryAll(found, port)
      } catch (error) {
        signal.throwIfAborted()
        // it may have ended since, and another version may run
        const fresh = await look()
        const same = fresh.length === found.length && fresh.every((answer, index) => isSame(answer, found[index]))
        if (same) throw error
        return await tryAll(fresh, port)
      }
    },
  }
}

function isSame(a: Answer, b: Answer | undefined): boolean {
  return a.version.id === b?.version.id && a.receipt.peerId === b.receipt.peerId
}

function isHealthy({ state }: ReceiptView): boolean {
  return state === 'running'
}

/** It will run, or runs and is not healthy yet; one that failed and is begun again leads nowhere. */
function mayBecome({ state, reasons }: ReceiptView): boolean {
  return state === 'accepted' && !reasons.some(({ rule, outcome }) => rule === RUN_RULES.exit && outcome === 'fail')
}
