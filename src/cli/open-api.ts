import { join } from 'node:path'
import type { ApiComponents } from '../api/index.ts'
import type { Log } from '../base/log.ts'
import { type Configuration, openRuntimeDir } from '../config/index.ts'
import type { ThundercloudNode } from '../node/types.ts'
import type { Cli } from './cli.ts'
import { writeEndpoint, writeSocketPath } from './client/endpoint.ts'

type Opening = {
  readonly cli: Pick<Cli, 'clock' | 'rng' | 'signal'>
  readonly configuration: Pick<Configuration, 'api' | 'dataDir' | 'runtime'>
  readonly node: ThundercloudNode
  readonly metrics: ApiComponents['metrics']
  readonly alerts: ApiComponents['alerts']
  /** undefined where there is no API over TCP */
  readonly token: string | undefined
  readonly log: Log
  readonly stack: AsyncDisposableStack
}

/**
 * Opens the node's API: on a socket for the operator of this machine, which no other client can exhaust, and over TCP where
 * node.json says so. Both are noted in the data folder, where commands look.
 */
export async function openApi(opening: Opening): Promise<{ url: string | undefined; socket: string }> {
  const { cli, configuration, node, metrics, alerts, log, stack } = opening
  const { api, dataDir } = configuration
  // a server is not loaded for commands that only talk to one
  const { createApi, createAudit, openTlsFiles, openTokens, serveApi, serveOperator } = await import('../api/index.ts')
  // without TCP there is no token file; this random one cannot be guessed
  const token = opening.token ?? cli.rng.uuid()
  const host = api === false ? undefined : api.host
  const { clock, rng } = cli
  const tokens = stack.use(await openTokens({ clock, rng, path: join(dataDir, 'api-tokens.json') }))
  const audit = createAudit({ clock, log, path: join(dataDir, 'audit.jsonl') })
  const handler = stack.use(createApi({ node, clock, rng, log, token, host, tokens, audit, metrics, alerts }))
  const prepare = () => openRuntimeDir(configuration.runtime, node.peerId.slice(-12))
  const init = { clock: cli.clock, log, prepare }
  const { path } = stack.use(await serveOperator(handler, join(await prepare(), 'api'), init))
  stack.use(await writeSocketPath(dataDir, path))
  if (api === false) return { url: undefined, socket: path }
  const tls = api.tls && stack.use(await openTlsFiles({ clock, log }, api.tls))
  const served = stack.use(await serveApi(handler, api.host, api.port, { signal: cli.signal, tls }))
  stack.use(await writeEndpoint(dataDir, served.url))
  return { url: served.url, socket: path }
}
