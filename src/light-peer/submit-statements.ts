import { addressKey } from '../../protocols/address.ts'
import { timeWindowError } from '../../protocols/announcement.ts'
import { MembersError, ProtocolError } from '../../protocols/errors.ts'
import type { KeyCache } from '../../protocols/signature.ts'
import {
  decodeStatement,
  recordKey,
  replaces,
  type Statement,
  signerOf,
  verifyStatement,
} from '../../protocols/statement.ts'
import { type Clock, deadline, nowSeconds, sleep } from '../base/clock.ts'
import { decodeInput } from '../base/decode-input.ts'
import { InputError, isRetryable, messageOf, TimeoutError, UnavailableError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { Network, RecordValidator } from '../network/index.ts'

/** Between two tries where no neighbour listens yet, or none is known to the DHT. */
const AGAIN_MS = 500
const TRIES = 10
/** A record is put to some twenty peers, some of which may be gone. */
const PUT_MS = 20_000

/** Throws a ProtocolError where a statement is malformed, forged or out of time. */
export type StatementCheck = (encoded: Uint8Array) => Statement

export function createStatementCheck(
  { clock, keys }: { clock: Clock; keys: KeyCache },
  init: { network: string },
): StatementCheck {
  return (encoded) => {
    const statement = decodeStatement(encoded)
    const time = timeWindowError(statement.body, nowSeconds(clock))
    if (time === 'expired') throw new ProtocolError('body.expires', 'has passed')
    if (time === 'early') throw new ProtocolError('body.issued', 'lies in the future')
    try {
      verifyStatement(statement, init.network, keys)
    } catch (error) {
      // only nodes that trust a hub know its members
      if (!(error instanceof MembersError)) throw error
    }
    return statement
  }
}

/** For a peer that keeps nothing: any well-formed and signed record is valid there. */
export function createLightRecordValidator(check: StatementCheck): RecordValidator {
  return {
    validate(key, value) {
      const statement = check(value)
      if (recordKey(statement) !== key) throw new ProtocolError('key', 'is not the key of this statement')
      const { issued, expires } = statement.body
      return { signer: addressKey(signerOf(statement)), issued, expires }
    },
    supersedes: (a, b) => replaces(decodeStatement(a), decodeStatement(b)),
    isPinned: () => false,
  }
}

export interface StatementSubmitterComponents {
  readonly clock: Clock
  readonly log: Log
  readonly network: Pick<Network, 'statements' | 'dht'>
  readonly check: StatementCheck
}

export interface StatementSubmitter {
  submit(encoded: Uint8Array, options?: { signal?: AbortSignal | undefined }): Promise<{ records: number }>
}

/** To the neighbours, and into the mesh's records. */
export function createStatementSubmitter(
  { clock, log, network, check }: StatementSubmitterComponents,
  init: { network: string; join: readonly string[] },
): StatementSubmitter {
  async function publish(encoded: Uint8Array, signal: AbortSignal | undefined): Promise<void> {
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const outcome = await network.statements.publish(encoded, { to: 'all', signal })
      if (outcome !== 'no-peers') return
      await sleep(clock, AGAIN_MS, { signal })
    }
    throw new UnavailableError(`no node of network "${init.network}" listens at ${init.join.join(', ')}`)
  }

  async function put(key: string, encoded: Uint8Array, outer: AbortSignal | undefined): Promise<number> {
    using limit = deadline(clock, PUT_MS, new TimeoutError('no peer took the record in time'), outer)
    let last: unknown
    for (let attempt = 0; attempt < TRIES; attempt++) {
      try {
        return await network.dht.putValue(key, encoded, { signal: limit.signal })
      } catch (error) {
        limit.signal.throwIfAborted()
        if (!isRetryable(error)) throw error
        last = error
        await sleep(clock, AGAIN_MS, { signal: limit.signal })
      }
    }
    throw last
  }

  return {
    async submit(encoded, { signal } = {}) {
      const key = recordKey(
        decodeInput(
          () => check(encoded),
          ({ message }) => `the statement: ${message}`,
        ),
      )
      const records = key === undefined ? Promise.resolve(0) : put(key, encoded, signal)
      const [published, taken] = await Promise.allSettled([publish(encoded, signal), records])
      signal?.throwIfAborted()
      if (taken.status === 'fulfilled' && taken.value > 0) return { records: taken.value }
      if (taken.status === 'rejected' && taken.reason instanceof InputError) throw taken.reason
      if (published.status === 'rejected') throw published.reason
      if (taken.status === 'rejected') log.debug('no peer took the record', { reason: messageOf(taken.reason) })
      return { records: 0 }
    },
  }
}
