import { howMany } from '../../../base/format.ts'
import { nodeClient } from '../../client/node-client.ts'
import { argument, command, flag } from '../../command.ts'
import { confirmChanges, printPreview } from '../../policy/confirm-changes.ts'
import { diffText } from '../../policy/diff-lines.ts'
import { backgroundLines, changesTable } from '../../policy/format-changes.ts'
import { policyNumber } from './history.ts'

export const policyRevert = command({
  name: 'policy revert',
  summary: 'Put a policy of the history in force again, after showing what would stop, start and be parked',
  details: [
    'It goes the way of `policy apply`: the lines that change, the dry run, the question. What is in force now stays in the',
    'history, so that a revert can be reverted.',
  ].join('\n'),
  args: { number: argument('NUMBER', 'as `policy history` lists it') },
  options: { yes: flag('do not ask', '-y') },
  async run(cli, { number, yes }) {
    const { out, signal } = cli
    const wanted = policyNumber(number)
    const client = await nodeClient(cli)
    const { text } = await client.policyHistory.get(wanted, { signal })
    const now = await client.policyHistory.text({ signal })
    if (now.text === text) {
      const nothing = { reverted: false, number: wanted, changes: [] }
      return out.result(nothing, () => [`Nothing was changed: config.json says what policy ${wanted} says.`])
    }
    const preview = await client.previewPolicy(text, { signal })
    if (!out.json) out.note([...diffText(now.text, text), ''].join('\n'))
    printPreview(cli, preview)
    await confirmChanges(cli, { yes, question: `Put policy ${wanted} in force again?` })
    const { changes, background } = await client.policyHistory.revert(wanted, { replaces: now.sha256, signal })
    const { notAsked, forgotten } = preview
    const previewed = { preview: preview.changes, more: preview.more, notAsked, forgotten }
    out.result({ reverted: true, number: wanted, ...previewed, changes, background }, () => [
      ...changesTable(changes, { terminal: out.terminal, heads: ['BEFORE', 'NOW'] }),
      `Policy ${wanted} is in force again; ${howMany(changes.length, 'service changes', 'services change')}${background > 0 ? ' so far' : ''}.`,
      ...backgroundLines(background),
    ])
  },
})
