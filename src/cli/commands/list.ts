import { nowSeconds } from '../../base/clock.ts'
import type { ServiceView } from '../../node/types.ts'
import { nodeClient } from '../client/node-client.ts'
import { command, flag } from '../command.ts'
import { commandText } from '../output/command-text.ts'
import { REDIRECTED } from '../output/disposition-texts.ts'
import { wakeText } from '../output/format-verdict.ts'
import { table } from '../output/output.ts'
import { idFormats, when } from '../output/text.ts'

export const list = command({
  name: 'list',
  summary: 'Services that the node knows, and what it does with them',
  args: {},
  options: { all: flag('also services that have ended: expired, stopped, superseded', '-a') },
  async run(cli, { all }) {
    const client = await nodeClient(cli)
    const known = await client.services({ signal: cli.signal })
    const views = all ? known : known.filter(isCurrent)
    const { drain, paused } = await client.health({ signal: cli.signal })
    if (drain !== undefined) {
      const end = commandText(cli, ['undrain'])
      cli.out.note(`Note: this node is drained for maintenance and takes no new service; ${end} ends that.`)
    }
    if (paused !== undefined) {
      cli.out.note(`Note: this node is paused and begins no new run; ${commandText(cli, ['resume'])} ends that.`)
    }
    const { id, address } = idFormats(cli.out.terminal)
    const now = nowSeconds(cli.clock)
    cli.out.result(views, () => {
      if (views.length === 0)
        return [
          all || known.length === 0 ? 'No services are known here.' : 'No current services; --all shows the others.',
        ]
      const rows = views.map((view) => [
        view.name,
        stateText(view),
        String(view.seq),
        when(view.expires, now),
        address(view.author),
        id(view.id),
      ])
      return table(['NAME', 'STATE', 'SEQ', 'EXPIRES', 'AUTHOR', 'ID'], rows)
    })
  },
})

export function isCurrent({ state, supersededBy, stoppedBy }: ServiceView): boolean {
  // an older version runs on until its update is healthy
  const isOver = (supersededBy ?? stoppedBy) !== undefined && state !== 'running' && state !== 'accepted'
  return state !== 'expired' && state !== 'stopped' && !isOver
}

/** "refused, redirected"; "parked until there is capacity" */
export function stateText({ state, redirected, kind, run, parked }: ServiceView): string {
  const waits = state === 'parked' && parked !== undefined ? `parked until ${wakeText(parked.on, parked)}` : state
  const doing = state === 'accepted' && run !== undefined ? runText(kind, run) : waits
  const isInState = state === 'redirected' || state === 'published'
  return redirected && !isInState ? `${doing}, ${REDIRECTED.yes}` : doing
}

/** A service is "running" when it is healthy, and before that "starting"; a task runs until it is done. */
function runText(kind: ServiceView['kind'], { state }: NonNullable<ServiceView['run']>): string {
  return state === 'running' && kind === 'service' ? 'starting' : state
}
