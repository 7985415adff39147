import { addressBytes } from '../../../protocols/address.ts'
import { type Announcement, signStop } from '../../../protocols/announcement.ts'
import { MAX_DEPTH, MAX_LIFETIME_SECONDS } from '../../../protocols/limits.ts'
import { issueTicket } from '../../../protocols/redirection.ts'
import { encodeStop } from '../../../protocols/stop.ts'
import { nowSeconds } from '../../base/clock.ts'
import type { Author } from '../author.ts'
import type { Cli } from '../cli.ts'

/** A signed stop of the versions of a name up to `seq`. */
export function signServiceStop(
  { clock, rng }: Cli,
  { signer }: Author,
  { network, name, seq }: { network: string; name: string; seq: number },
): Announcement {
  // as far as anything can travel: a stop that does not reach a node leaves the service running there
  const { reach, ticket } = issueTicket(MAX_DEPTH, rng.bytes(32))
  const issued = nowSeconds(clock)
  const stopping = {
    author: addressBytes(signer.address),
    name,
    seq,
    issued,
    expires: issued + MAX_LIFETIME_SECONDS,
    reach,
  }
  return { signed: signStop(encodeStop({ v: 1, stop: true, ...stopping }), network, signer), ticket }
}
