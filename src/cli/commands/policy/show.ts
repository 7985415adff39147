import { sanitizeText } from '../../../base/format.ts'
import type { PolicyFacts, PolicyView } from '../../../node/types.ts'
import { nodeClient } from '../../client/node-client.ts'
import { command } from '../../command.ts'
import { fields, table } from '../../output/output.ts'
import { freeText } from '../../policy/free-option.ts'

export const policyShow = command({
  name: 'policy show',
  summary: 'Show the policy in force, the outcomes of its rules since the node started, and what is free',
  details: 'With --json, facts.config is the whole policy as the node reads it, with all defaults filled in.',
  args: {},
  options: {},
  async run(cli) {
    const client = await nodeClient(cli)
    const view = await client.policy({ signal: cli.signal })
    cli.out.result(view, () => lines(view))
  },
})

function lines({ hash, counts, parked, facts }: PolicyView & PolicyFacts): string[] {
  const { config, capacity, running } = facts
  const modes = modesOf(config)
  const rules = [...new Set([...Object.keys(modes), ...Object.keys(counts)])]
  const rows = rules.map((rule) => {
    const { pass = 0, fail = 0, defer = 0, warned = 0 } = counts[rule] ?? {}
    return [sanitizeText(rule, 64), modes[rule] ?? 'enforce', ...[pass, fail, defer, warned].map(String)]
  })
  return [
    ...fields([
      ['policy', hash],
      ['runs', String(running.length)],
      ['parked', String(parked)],
      ['executors', capacity.executors.map(({ name }) => name).join(', ') || 'none'],
      ['free', freeText(capacity)],
    ]),
    '',
    ...(rows.length === 0
      ? ['No service has been decided about since the node started.']
      : table(['RULE', 'MODE', 'OK', 'FAIL', 'LATER', 'WARNED'], rows)),
  ]
}

/** MODES as it came; a node of another version may have none. */
function modesOf(config: object): Record<string, string> {
  const modes: unknown = 'MODES' in config ? config.MODES : undefined
  if (typeof modes !== 'object' || modes === null) return {}
  return Object.fromEntries(Object.entries(modes).map(([rule, mode]) => [rule, sanitizeText(String(mode), 20)]))
}
