import { decodeAnnouncement } from '../../protocols/announcement.ts'
import { ProtocolError } from '../../protocols/errors.ts'
import { decodeInput } from '../base/decode-input.ts'
import { InputError, messageOf } from '../base/errors.ts'
import type { Intake } from '../intake/index.ts'
import type { Outcome } from '../intake/types.ts'
import type { Journal } from '../journal/index.ts'
import type { Publisher } from './publisher.ts'

type Received =
  | Exclude<Outcome, { outcome: 'refused' }>
  | { readonly outcome: 'refused'; readonly reason: string; readonly retry: boolean }
type Receive = (bytes: Uint8Array, options?: { asPublisher?: boolean }) => Promise<Received>

export interface ReceiveComponents {
  journal: { readonly announcements: Pick<Journal['announcements'], 'has'> }
  intake: Pick<Intake, 'submit'>
  publisher: Pick<Publisher, 'publish'>
}

/**
 * Takes in an announcement that came over the API. It is decoded once, and its signature is checked once, by intake: a copy of
 * what is known needs neither.
 */
export function createReceive({ journal, intake, publisher }: ReceiveComponents): Receive {
  async function publish(bytes: Uint8Array): Promise<Received> {
    const announcement = decodeInput(() => decodeAnnouncement(bytes))
    const known = journal.announcements.has(announcement.signed.id.toString())
    try {
      return { outcome: known ? 'known' : 'new', id: await publisher.publish(announcement) }
    } catch (error) {
      if (error instanceof ProtocolError) throw new InputError(messageOf(error), { cause: error })
      throw error
    }
  }

  return async (bytes, { asPublisher = false } = {}) => {
    if (asPublisher) return await publish(bytes)
    const outcome = await intake.submit(bytes, 'api')
    if (outcome.outcome !== 'refused') return outcome
    return { outcome: 'refused', reason: outcome.reason, retry: outcome.retry }
  }
}
