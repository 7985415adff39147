import { type AccessRight, accessFor, signAccess } from '../../../../protocols/access.ts'
import { type Address, addressOfPeerId, formatAddress, parseAddress, peerIdOf } from '../../../../protocols/address.ts'
import { type CID, isStructureCid, parseCid } from '../../../../protocols/encoding.ts'
import { AddressError } from '../../../../protocols/errors.ts'
import { MAX_ACCESS_SECONDS } from '../../../../protocols/limits.ts'
import { nowSeconds } from '../../../base/clock.ts'
import { InputError } from '../../../base/errors.ts'
import { formatSeconds, joinWords, sanitizeText } from '../../../base/format.ts'
import { type Author, findAuthor, keyOption, openPublishedIndex } from '../../author.ts'
import type { Cli } from '../../cli.ts'
import { accessText } from '../../client/access-token.ts'
import { argument, command, duration, text, texts } from '../../command.ts'
import { networkNameOf } from '../../network-name.ts'
import { minuteText } from '../../statements/expiry.ts'

const RIGHTS: readonly AccessRight[] = ['results', 'logs', 'tunnel']

export const accessNew = command({
  name: 'access new',
  summary: "Let another's key fetch results, read logs or reach ports of a service of yours",
  details: [
    'Prints a token. It is for one version of the service and for one key, so it is of no use to whoever else reads it. It cannot be revoked.',
    'ADDRESS is what `thundercloud key show` shows the other person, or the peer id of that key.',
    'Example: thundercloud access new report ADDRESS --right results --for 12h > report.access',
    'The other person: thundercloud results ID --access report.access --join MULTIADDR',
  ].join('\n'),
  args: {
    service: argument('SERVICE', 'a name that you published from here, an id of it, or the beginning of one'),
    address: argument('ADDRESS', 'the key that may use it, or its peer id'),
  },
  options: {
    right: texts('RIGHT', 'results, logs or tunnel (ports with access "author" or "siblings"); may be repeated'),
    for: duration('it ends after this time, 24h at most', '24h'),
    network: text('NAME', 'the network of the service'),
    key: keyOption,
  },
  async run(cli, { service: given, address, right, for: seconds, network: named, key }) {
    const rights = rightsOf(right)
    if (seconds > MAX_ACCESS_SECONDS)
      throw new InputError(`--for is ${formatSeconds(seconds)}; at most 24h are allowed: a token cannot be revoked`)
    const subject = subjectOf(address)
    const author = await findAuthor(cli, key)
    if (author === undefined)
      throw new InputError('there is no key of yours here; name the key that signed it with --key')
    const network = await networkNameOf(cli, named)
    const service = await serviceOf(cli, given, { author, network })
    const issued = nowSeconds(cli.clock)
    const expires = issued + seconds
    const token = accessText(
      signAccess(accessFor(service, subject, rights, { issued, expires }), network, author.signer),
    )
    const id = service.toString()
    const about = { service: id, subject: formatAddress(subject), peerId: peerIdOf(subject), rights, expires }
    cli.out.result({ token, ...about }, () => [token])
    cli.out.note(`It gives ${about.subject} the right to ${joinWords(rights)} of ${id} until ${minuteText(expires)}.`)
  },
})

function rightsOf(given: readonly string[]): AccessRight[] {
  const allowed = `allowed are ${joinWords(RIGHTS)}`
  if (given.length === 0) throw new InputError(`--right is missing; ${allowed}`)
  const unknown = given.find((word) => !RIGHTS.some((right) => right === word))
  if (unknown !== undefined) throw new InputError(`--right is ${JSON.stringify(sanitizeText(unknown, 80))}; ${allowed}`)
  return RIGHTS.filter((right) => given.includes(right))
}

/** A key that can be a peer. */
function subjectOf(text: string): Address {
  const subject = text.startsWith('12D3Koo') ? addressOfPeer(text) : parseAddress(text, 'ADDRESS')
  if (subject.type === 'ed25519') return subject
  throw new InputError('ADDRESS is a BLS12-381 key; a peer has an ed25519 key: `thundercloud key new` makes one')
}

function addressOfPeer(text: string): Address {
  try {
    return addressOfPeerId(text, 'ADDRESS')
  } catch (error) {
    if (error instanceof AddressError) return parseAddress(text, 'ADDRESS')
    throw error
  }
}

async function serviceOf(cli: Cli, given: string, of: { author: Author; network: string }): Promise<CID> {
  const entry = (await openPublishedIndex(of.author, of.network)).find(given)
  if (entry !== undefined) return parseCid(entry.id)
  const id = structureId(given)
  if (id === undefined) {
    const label = JSON.stringify(sanitizeText(given, 80))
    throw new InputError(
      `${label} was not published with this key from here, in network "${of.network}"; name the whole id of the service`,
    )
  }
  cli.out.note(`It was not published from here: nodes refuse the token unless ${of.author.address} is its author.`)
  return id
}

function structureId(text: string): CID | undefined {
  try {
    const cid = parseCid(text)
    return isStructureCid(cid) ? cid : undefined
  } catch {
    return undefined
  }
}
