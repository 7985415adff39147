import { addressBytes, formatAddress, parseAddress } from '../../../../protocols/address.ts'
import { AddressError } from '../../../../protocols/errors.ts'
import { encodeFreeze } from '../../../../protocols/freeze.ts'
import { InputError } from '../../../base/errors.ts'
import { argument, command, text } from '../../command.ts'
import { createStatement, type SigningContext, type StatementInput } from '../../statements/create.ts'
import { draftForMembers } from '../../statements/draft-for-members.ts'
import { hubOption, hubSigningOptions } from '../../statements/options.ts'

export const hubFreeze = command({
  name: 'hub freeze',
  summary: 'Sign as a hub that an address has frozen an amount on a chain, and publish the statement',
  details: 'Nodes that trust the hub compare the amount with MIN_FREEZE. An amount of 0 withdraws the statement.',
  args: { address: argument('ADDRESS', 'the owner of the funds') },
  options: {
    chain: text('NAME', "a host chain's name, or the address of a symbiote"),
    amount: text('AMOUNT', 'how much, like 10 or "0.25"'),
    until: text('TIME', 'a time like "90d", or a day like 2027-01-31 (default: 90d)'),
    hub: hubOption,
    ...hubSigningOptions,
  },
  async run(cli, { address: whose, chain: named, amount, until = '90d', hub, ...rest }) {
    if (named === undefined) throw new InputError('--chain is missing; name the chain on which the amount is frozen')
    if (amount === undefined) throw new InputError('--amount is missing; say how much is frozen')
    const address = parseAddress(whose, 'ADDRESS')
    const chain = chainOf(named)
    const about = async ({ signer }: SigningContext): Promise<StatementInput> => ({
      filter: { address: formatAddress(address), signer: formatAddress(signer) },
      matches: (view) => view.kind === 'freeze' && view.chain === chain,
      encode: (stamp) =>
        encodeFreeze({ ...stamp, hub: addressBytes(signer), address: addressBytes(address), chain, amount }),
    })
    if (hub === undefined) await createStatement(cli, { ...rest, until, as: 'hub' }, about)
    else await draftForMembers(cli, { ...rest, until, hub }, about)
  },
})

/** As the policies of nodes spell it: a symbiote's shortest address, a host chain in lower case. */
function chainOf(named: string): string {
  try {
    return formatAddress(parseAddress(named))
  } catch (error) {
    if (error instanceof AddressError) return named.toLowerCase()
    throw error
  }
}
