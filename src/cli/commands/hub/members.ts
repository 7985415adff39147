import { resolve } from 'node:path'
import { addressKey, formatAddress } from '../../../../protocols/address.ts'
import { MAX_MEMBERS } from '../../../../protocols/limits.ts'
import { createKeyCache } from '../../../../protocols/signature.ts'
import { InputError } from '../../../base/errors.ts'
import { howMany } from '../../../base/format.ts'
import { hubText, joinMembers, loadMemberFile } from '../../../config/index.ts'
import { command, manyArguments, text, whole } from '../../command.ts'
import { trustSnippet } from '../../statements/config-snippet.ts'
import { writeNew } from '../../statements/write-files.ts'

export const hubMembers = command({
  name: 'hub members',
  summary: 'Join members that made their keys separately into one hub',
  details:
    'Reads the public files of the members, checks the proof of each, and writes the public file of the hub. No secret is needed.',
  args: { parts: manyArguments('PUBLIC', "a member's public part, as `hub keygen --bls` writes it") },
  options: {
    threshold: whole('COUNT', 'how many of them must sign', { min: 1, max: MAX_MEMBERS, fallback: undefined }),
    out: text('FILE', 'default: hub.public.json'),
  },
  async run(cli, { parts, threshold, out = 'hub.public.json' }) {
    if (threshold === undefined) throw new InputError('--threshold is missing; say how many members must sign')
    const members = await Promise.all(parts.map((file) => loadMemberFile(resolve(cli.cwd, file), file, cli)))
    const network = members[0]?.network as string
    for (const [index, { network: other, address }] of members.entries()) {
      const file = parts[index] as string
      if (other !== network) {
        throw new InputError(`${file} is for network "${other}", but ${parts[0]} is for "${network}"`)
      }
      const same = members.findIndex((one) => addressKey(one.address) === addressKey(address))
      if (same < index) throw new InputError(`${file} is the same member as ${parts[same]}; name each once`)
      // by itself first, so that the file with the wrong proof is named
      await inFile(file, async () =>
        joinMembers([members[index] as (typeof members)[number]], 1, network, createKeyCache()),
      )
    }
    if (threshold > members.length) {
      throw new InputError(
        `--threshold is ${threshold}, but ${howMany(members.length, 'member was', 'members were')} named`,
      )
    }
    const hub = joinMembers(members, threshold, network, createKeyCache())
    const file = await writeNew(cli, out, hubText(hub))
    const address = formatAddress(hub.hub)
    const addresses = hub.members.map(formatAddress)
    cli.out.result({ type: 'hub', hub: address, network, threshold, file, members: addresses }, () => [
      `Hub ${address} in network "${network}": ${threshold} of ${members.length} members sign. Public: ${file}`,
      'An operator that trusts the hub writes into config.json:',
      ...trustSnippet(hub),
    ])
  },
})

async function inFile(file: string, check: () => Promise<unknown>): Promise<void> {
  try {
    await check()
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    throw new InputError(`${file}: its proof of possession is invalid; ask the member for a new public file`, {
      cause: error,
    })
  }
}
