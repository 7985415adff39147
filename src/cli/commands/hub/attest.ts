import { addressBytes, formatAddress } from '../../../../protocols/address.ts'
import { encodeAttestation, SEVERITIES, type Severity } from '../../../../protocols/attestation.ts'
import { InputError } from '../../../base/errors.ts'
import { joinWords } from '../../../base/format.ts'
import { argument, command, flag, text } from '../../command.ts'
import { createStatement, type SigningContext, type StatementInput } from '../../statements/create.ts'
import { draftForMembers } from '../../statements/draft-for-members.ts'
import { hubOption, hubSigningOptions } from '../../statements/options.ts'
import { resolveCode } from '../../statements/resolve-code.ts'

export const hubAttest = command({
  name: 'hub attest',
  summary: 'Sign as a hub that code is safe or unsafe, and publish the statement',
  details: [
    'Nodes that trust the hub count "safe" towards their quorum; "unsafe" stops what runs there. A later statement replaces an',
    'earlier one of the same hub about the same code.',
  ].join('\n'),
  args: { code: argument('CODE|SERVICE', 'a content id of code; or the id or name of a service, for its code') },
  options: {
    safe: flag('the hub found nothing wrong with it'),
    unsafe: flag('no node should run it'),
    severity: text('HOW', `with --unsafe: ${joinWords(SEVERITIES, 'or')}`),
    report: text('URL', 'a page with the reasons'),
    until: text('TIME', 'a time like "90d", or a day like 2027-01-31 (default: 90d for safe, 366d for unsafe)'),
    hub: hubOption,
    ...hubSigningOptions,
  },
  async run(cli, { code: named, safe, unsafe, severity, report, until, hub, ...rest }) {
    const verdict = verdictOf({ safe, unsafe, severity })
    const about = async ({ signer, client }: SigningContext): Promise<StatementInput> => {
      const code = await resolveCode(cli, client, named)
      const more = {
        ...(report === undefined ? {} : { report }),
        ...(severity === undefined ? {} : { severity: severity as Severity }),
      }
      return {
        filter: { code: code.toString(), signer: formatAddress(signer) },
        encode: (stamp) => encodeAttestation({ ...stamp, hub: addressBytes(signer), code, verdict, ...more }),
      }
    }
    const making = { ...rest, until: until ?? (verdict === 'safe' ? '90d' : '366d') }
    if (hub === undefined) await createStatement(cli, { ...making, as: 'hub' }, about)
    else await draftForMembers(cli, { ...making, hub }, about)
  },
})

function verdictOf(given: { safe: boolean; unsafe: boolean; severity: string | undefined }): 'safe' | 'unsafe' {
  const { safe, unsafe, severity } = given
  if (safe && unsafe) throw new InputError('--safe contradicts --unsafe; say one of them')
  if (!safe && !unsafe) throw new InputError('say what the hub found: --safe or --unsafe')
  if (severity === undefined) return safe ? 'safe' : 'unsafe'
  if (safe) throw new InputError('--severity goes with --unsafe: what is safe has none')
  if (SEVERITIES.some((one) => one === severity)) return 'unsafe'
  throw new InputError(`--severity is ${JSON.stringify(severity)}; allowed is ${joinWords(SEVERITIES, 'or')}`)
}
