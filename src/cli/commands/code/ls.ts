import { nowSeconds } from '../../../base/clock.ts'
import { formatBytes, howMany, sanitizeText } from '../../../base/format.ts'
import type { CodeView } from '../../../node/types.ts'
import { nodeClient } from '../../client/node-client.ts'
import { command } from '../../command.ts'
import { damageText } from '../../output/code-text.ts'
import { table } from '../../output/output.ts'
import { ago, idFormats } from '../../output/text.ts'

export const codeLs = command({
  name: 'code ls',
  summary: 'Code in the store of the node, and the services that need it',
  args: {},
  options: {},
  async run(cli) {
    const client = await nodeClient(cli)
    const list = await client.code.list({ signal: cli.signal })
    const shown = idFormats(cli.out.terminal)
    const now = nowSeconds(cli.clock)
    cli.out.result(list, () => {
      const { codes, usage } = list
      const total = `${howMany(codes.length, 'code uses', 'codes use')} ${formatBytes(usage.bytes)} of ${formatBytes(usage.maxBytes)}, with unpacked files (QUOTAS.CODE_STORE)`
      if (codes.length === 0) return [`No code is in the store; it may take ${formatBytes(usage.maxBytes)}.`]
      const rows = codes.map((view) => [
        shown.id(view.code),
        formatBytes(view.bytes ?? 0),
        view.state,
        ago(view.usedAt ?? now, now),
        view.provenance?.from ?? 'unknown',
        neededBy(view),
      ])
      const damaged = codes.filter(({ state }) => state === 'damaged')
      const lines = damaged.map((view) => `${shown.id(view.code)}: ${damageText(view, now)}`)
      return [...table(['CODE', 'SIZE', 'STATE', 'LAST USED', 'FROM', 'NEEDED BY'], rows), ...lines, total]
    })
  },
})

/** Names of services, or what else keeps it. */
function neededBy({ services, kept }: CodeView): string {
  const names = new Set(services.filter(({ needed }) => needed).map(({ name }) => sanitizeText(name, 80)))
  if (names.size > 0) return [...names].join(', ')
  return kept ? 'in use now' : '-'
}
