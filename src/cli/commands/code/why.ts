import { nowSeconds } from '../../../base/clock.ts'
import { formatBytes } from '../../../base/format.ts'
import type { CodeView } from '../../../node/types.ts'
import { nodeClient } from '../../client/node-client.ts'
import { argument, command } from '../../command.ts'
import { damageText, provenanceText } from '../../output/code-text.ts'
import { fields, table } from '../../output/output.ts'
import { ago, idFormats } from '../../output/text.ts'

export const codeWhy = command({
  name: 'code why',
  summary: 'Where code came from, and which services need it',
  args: { code: argument('CODE', 'a content id, or the beginning of one') },
  options: {},
  async run(cli, { code }) {
    const client = await nodeClient(cli)
    const view = await client.code.get(code, { signal: cli.signal })
    const { id, address } = idFormats(cli.out.terminal)
    const now = nowSeconds(cli.clock)
    cli.out.result(view, () => [
      ...fields([
        ['code', view.code],
        ['state', `${view.state}${view.unpacked ? ', unpacked' : ''}`],
        ['damage', view.state === 'damaged' ? damageText(view, now) : undefined],
        ['size', view.bytes === undefined ? undefined : formatBytes(view.bytes)],
        ['from', originText(view, now)],
        ['last used', view.usedAt === undefined ? undefined : ago(view.usedAt, now)],
      ]),
      ...(view.services.length === 0
        ? []
        : table(
            ['SERVICE', 'STATE', 'NEEDS IT', 'AUTHOR', 'ID'],
            view.services.map((use) => [
              use.name,
              use.state,
              use.needed ? 'yes' : 'no',
              address(use.author),
              id(use.id),
            ]),
          )),
      conclusion(view),
    ])
  },
})

function originText({ state, provenance }: CodeView, now: number): string | undefined {
  if (provenance === undefined) return state === 'complete' ? 'not noted: an older version stored it' : undefined
  return provenanceText(provenance, now)
}

function conclusion({ code, state, kept, services }: CodeView): string {
  const needed = services.some((use) => use.needed)
  if (state === 'absent') return `It is not in the store; \`thundercloud code get ${code}\` fetches it.`
  if (needed) return 'It stays: a service here needs it.'
  if (kept) return 'It stays: it is in use now.'
  return 'Nothing here needs it: `thundercloud code gc` removes it, and so does the store when it needs space.'
}
