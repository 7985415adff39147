import { nowSeconds } from '../../../base/clock.ts'
import { InputError } from '../../../base/errors.ts'
import { nodeClient } from '../../client/node-client.ts'
import { command, flag, optionalArgument } from '../../command.ts'
import { table } from '../../output/output.ts'
import { when } from '../../output/text.ts'
import { diffText } from '../../policy/diff-lines.ts'
import { authorText } from '../../policy/policy-author.ts'

export const policyHistory = command({
  name: 'policy history',
  summary: 'Policies that were in force on the node, by whom, and what each changed',
  details: [
    'The node keeps the newest 100, and 8 MiB of their texts at most, in its journal. With a NUMBER: the lines that it changed',
    'against the one before it. `policy revert NUMBER` puts one in force again.',
    'Example: thundercloud policy history 3 --text > config.json',
  ].join('\n'),
  args: { number: optionalArgument('NUMBER', 'one of them') },
  options: { text: flag('its text as it was written, instead of what it changed') },
  async run(cli, { number, text }) {
    const client = (await nodeClient(cli)).policyHistory
    const { signal } = cli
    if (number === undefined) {
      if (text) throw new InputError('--text needs a NUMBER, as `thundercloud policy history` lists them')
      const policies = await client.list({ signal })
      const now = nowSeconds(cli.clock)
      return cli.out.result(policies, () => {
        if (policies.length === 0) return ['No policy is in the history yet.']
        const rows = policies.map(({ number: each, at, by, added, removed, sameAs, newest }) => [
          String(each),
          when(at, now),
          `+${added} -${removed}`,
          `${newest ? 'the newest' : ''}${newest && sameAs !== undefined ? ', ' : ''}${sameAs === undefined ? '' : `as ${sameAs}`}`,
          authorText(by),
        ])
        return table(['NUMBER', 'WHEN', 'LINES', '', 'BY'], rows)
      })
    }
    const wanted = policyNumber(number)
    const policy = await client.get(wanted, { signal })
    if (text) {
      if (cli.out.json) return cli.out.result(policy, () => [])
      return cli.out.result(policy, () => policy.text.replace(/\n$/, '').split('\n'))
    }
    const older = (await client.list({ signal })).find((each) => each.number < wanted)
    const before = older === undefined ? '' : (await client.get(older.number, { signal })).text
    cli.out.result({ ...policy, before: older?.number }, () => [
      `Policy ${wanted}, ${when(policy.at, nowSeconds(cli.clock))}, by ${authorText(policy.by)}.`,
      older === undefined ? 'None before it is kept; all of it:' : `Against policy ${older.number}:`,
      '',
      ...diffText(before, policy.text),
    ])
  },
})

export function policyNumber(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text)
  throw new InputError(
    `NUMBER is ${JSON.stringify(text)}; allowed is a whole number that \`thundercloud policy history\` lists`,
  )
}
