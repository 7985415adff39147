import { join } from 'node:path'
import { NoDaemonError } from '../../api/client/errors.ts'
import type { Cli } from '../cli.ts'
import { readEndpoint } from '../client/endpoint.ts'
import { nodeClient } from '../client/node-client.ts'
import { command } from '../command.ts'
import { operatorFolder } from '../operator-folder.ts'

export const dashboard = command({
  name: 'dashboard',
  summary: "The address that opens the node's dashboard in a browser",
  details: [
    'The address works once, within a minute, and opens a session: `thundercloud session ls` lists the sessions, and',
    '`thundercloud session revoke` ends one. A session ends after 12 hours, or after 2 hours in which nothing is asked for.',
  ].join('\n'),
  args: {},
  options: {},
  async run(cli) {
    const client = await nodeClient(cli)
    // first, because where no node runs, that is what is wrong
    const { path, expires } = await client.sessions.link({ signal: cli.signal })
    const origin = cli.globals.api === undefined ? await originOfFolder(cli) : new URL(client.url).origin
    const url = `${origin}${path}`
    cli.out.result({ url, expires }, () => [url])
    cli.out.note('Open it in a browser within a minute; it works once.')
  },
})

/** A browser cannot use the operator's socket. */
async function originOfFolder(cli: Cli): Promise<string> {
  const { loadEndpoint } = await import('../../config/index.ts')
  const dir = await operatorFolder(cli)
  const { dataDir } = await loadEndpoint(dir, { env: cli.env, signal: cli.signal })
  const origin = await readEndpoint(dataDir)
  if (origin !== undefined) return origin
  throw new NoDaemonError(
    `the node has no HTTP address, which a browser needs; set API in ${join(dir, 'node.json')} to an address and start the node again`,
  )
}
