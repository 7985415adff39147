import { type Address, addressBytes, formatAddress, parseAddress, sameAddress } from '../../../../protocols/address.ts'
import { encodeDelegation } from '../../../../protocols/delegation.ts'
import { MAX_DELEGATION_DEPTH } from '../../../../protocols/limits.ts'
import { InputError } from '../../../base/errors.ts'
import type { Cli } from '../../cli.ts'
import { argument, command, text, whole } from '../../command.ts'
import { createStatement, type SigningContext, type StatementInput } from '../../statements/create.ts'
import { type SigningInput, signingOptions } from '../../statements/options.ts'

const args = { address: argument('ADDRESS', 'the address of an author or hub') }

export const trustDelegate = command({
  name: 'trust delegate',
  summary: 'Vouch for an address: where the signing key is a root, its services need no quorum',
  details:
    "Signed with the node's own key unless --key names another. --depth says how many more links may follow below it.",
  args,
  options: {
    depth: whole('N', 'how many further delegations may follow below it; 0 = none', {
      min: 0,
      max: MAX_DELEGATION_DEPTH,
      fallback: 0,
    }),
    until: text('TIME', 'a time like "90d", or a day like 2027-01-31 (default: 90d)'),
    ...signingOptions,
  },
  async run(cli, { address, depth, until = '90d', ...rest }) {
    const subject = parseAddress(address, 'ADDRESS')
    const { client } = await delegate(cli, { ...rest, until }, { subject, depth, revoked: false })
    const asked = (await client?.trust(formatAddress(subject), { signal: cli.signal }))?.asked
    if (asked?.in === false) cli.out.note(`Note: it is not in this node's trust tree yet: ${asked.why}`)
  },
})

export const trustRevoke = command({
  name: 'trust revoke',
  summary: 'Stop vouching for an address; services that run because of it stop',
  details:
    'Revokes only the delegation of the same key; other roots may still vouch for the address. See `trust tree ADDRESS`.',
  args,
  options: {
    until: text(
      'TIME',
      'how long the revocation is published (default: 366d, the longest validity of what it revokes)',
    ),
    ...signingOptions,
  },
  async run(cli, { address, until = '366d', ...rest }) {
    const subject = parseAddress(address, 'ADDRESS')
    const { client } = await delegate(cli, { ...rest, until }, { subject, depth: 0, revoked: true })
    const asked = (await client?.trust(formatAddress(subject), { signal: cli.signal }))?.asked
    if (asked?.in === true) cli.out.note(`Note: it is still in this node's trust tree: ${asked.why}`)
  },
})

function delegate(
  cli: Cli,
  making: SigningInput & { readonly until: string },
  { subject, depth, revoked }: { subject: Address; depth: number; revoked: boolean },
) {
  return createStatement(
    cli,
    { ...making, as: 'node' },
    async ({ signer }: SigningContext): Promise<StatementInput> => {
      if (sameAddress(signer, subject)) {
        throw new InputError('ADDRESS is the address of the signing key; a key cannot vouch for itself')
      }
      const [issuer, to] = [addressBytes(signer), addressBytes(subject)]
      return {
        filter: { address: formatAddress(subject), signer: formatAddress(signer) },
        matches: ({ kind }) => kind === 'delegation',
        encode: (stamp) =>
          encodeDelegation({ ...stamp, issuer, subject: to, depth, ...(revoked ? { revoked: true as const } : {}) }),
      }
    },
  )
}
