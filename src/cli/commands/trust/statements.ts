import { nowSeconds } from '../../../base/clock.ts'
import { InputError } from '../../../base/errors.ts'
import { sanitizeText } from '../../../base/format.ts'
import type { StatementView } from '../../../node/types.ts'
import { nodeClient } from '../../client/node-client.ts'
import { command, flag, text } from '../../command.ts'
import { table } from '../../output/output.ts'
import { idFormats, when } from '../../output/text.ts'

export const trustStatements = command({
  name: 'trust statements',
  summary: 'Show the statements of hubs and roots that the node knows',
  args: {},
  options: {
    code: text('CID', 'attestations about this code'),
    address: text('ADDRESS', 'freeze statements about this address, and delegations to it'),
    hub: text('ADDRESS', 'statements of this hub or issuer'),
    lookup: flag('look up --code and --address in the DHT first'),
  },
  async run(cli, { code, address, hub, lookup }) {
    if (lookup && code === undefined && address === undefined) {
      throw new InputError('--lookup asks the mesh about a code or an address; name it with --code or --address')
    }
    const client = await nodeClient(cli)
    const views = await client.statements({ code, address, signer: hub }, { lookup, signal: cli.signal })
    const shown = idFormats(cli.out.terminal)
    const now = nowSeconds(cli.clock)
    cli.out.result(views, () => {
      if (views.length === 0) return ['No statement of that kind is known here.']
      const rows = views.map((view) => [
        shown.address(view.signer),
        view.trusted ? 'yes' : 'no',
        bodyText(view),
        aboutText(view, shown),
        when(view.expires, now),
        String(view.seq),
        view.own ? 'own' : view.via,
      ])
      return table(['SIGNER', 'TRUSTED', 'SAYS', 'ABOUT', 'EXPIRES', 'SEQ', 'FROM'], rows)
    })
  },
})

function bodyText(view: StatementView): string {
  switch (view.kind) {
    case 'attestation':
      return view.severity === undefined ? String(view.verdict) : `${view.verdict} (${sanitizeText(view.severity, 20)})`
    case 'freeze':
      return `${sanitizeText(view.amount ?? '', 60)} frozen on ${sanitizeText(view.chain ?? '', 128)}`
    case 'delegation':
      return view.revoked === true ? 'revoked' : `vouches, depth ${view.depth}`
  }
}

function aboutText(view: StatementView, shown: ReturnType<typeof idFormats>): string {
  return view.kind === 'attestation' ? shown.id(view.code ?? '') : shown.address(view.address ?? view.subject ?? '')
}
