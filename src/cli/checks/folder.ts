import { createServer } from 'node:net'
import { join } from 'node:path'
import { formatAddress, peerIdOf } from '../../../protocols/address.ts'
import { errnoOf, messageOf, systemMessageOf } from '../../base/errors.ts'
import { joinWords } from '../../base/format.ts'
import { livingOwner } from '../../base/os/pid-lock.ts'
import { type Configuration, type Env, loadConfiguration, loadIdentity, loadToken } from '../../config/index.ts'
import { type Check, fail, ok, warn } from './check.ts'

export type FolderChecks = {
  readonly checks: readonly Check[]
  readonly configuration?: Configuration | undefined
  readonly peerId?: string | undefined
}

/** The operator's folder: settings, secrets and their modes, and whether what it listens on is free. */
export async function checkFolder(dir: string, env: Env, signal: AbortSignal): Promise<FolderChecks> {
  let configuration: Configuration
  const checks: Check[] = []
  try {
    const loaded = await loadConfiguration(dir, { env, signal })
    configuration = loaded.configuration
    checks.push(ok('settings', dir))
    for (const { message } of loaded.notices) checks.push(warn('settings', message))
  } catch (error) {
    return { checks: [fail('settings', messageOf(error))] }
  }
  let peerId: string | undefined
  const readIdentity = async () => {
    const identity = await loadIdentity(dir, { signal })
    peerId = peerIdOf(identity.signer.address)
    return formatAddress(identity.signer.address)
  }
  checks.push(await attempt('identity', readIdentity))
  if (configuration.api !== false)
    checks.push(await attempt('API token', async () => (await loadToken(dir, { signal })) && 'api.token'))
  checks.push(...(await checkPorts(configuration)))
  checks.push(checkNetwork(configuration))
  return { checks, configuration, peerId }
}

/** What network runs and builds may have here. */
function checkNetwork({ policy }: Configuration): Check {
  const { MODE, ALLOW, PORTS, RATE_KBPS } = policy.config.NETCAP
  const ports = PORTS === undefined ? '' : `, ports ${joinWords(PORTS.map(String))}`
  const rate = RATE_KBPS === undefined ? '' : `, ${RATE_KBPS} kbit/s each`
  const runs =
    MODE === 'none'
      ? 'have none'
      : `may reach ${MODE === 'open' ? 'every public name' : ALLOW.join(' ') || 'none'}${ports}${rate}`
  const mirrors = Object.keys(policy.config.REGISTRIES)
  const builds =
    mirrors.length === 0 ? 'have none, REGISTRIES is empty' : `may reach REGISTRIES of ${joinWords(mirrors)}`
  return ok('network', `runs ${runs}; builds ${builds}`)
}

async function attempt(what: string, work: () => Promise<string>): Promise<Check> {
  try {
    return ok(what, await work())
  } catch (error) {
    return fail(what, messageOf(error))
  }
}

async function checkPorts({ dataDir, listen, api }: Configuration): Promise<Check[]> {
  const pid = await livingOwner(join(dataDir, 'node.pid'))
  if (pid !== undefined) return [ok('ports', `in use by the running node (pid ${pid})`)]
  const wanted = listen.map((multiaddr) => {
    const [, , host = '', , port = '0'] = multiaddr.split('/')
    return { key: 'LISTEN', host, port: Number(port) }
  })
  if (api !== false) wanted.push({ key: 'API', ...api })
  return await Promise.all(wanted.map(checkPort))
}

async function checkPort({ key, host, port }: { key: string; host: string; port: number }): Promise<Check> {
  const where = `${host.includes(':') ? `[${host}]` : host}:${port}`
  if (port === 0) return ok(key, `${where}, any that is free`)
  const problem = await new Promise<string | undefined>((resolve) => {
    const server = createServer()
    server.once('error', (error) =>
      resolve(errnoOf(error) === 'EADDRINUSE' ? 'in use by another program' : systemMessageOf(error)),
    )
    server.listen(port, host, () => server.close(() => resolve(undefined)))
  })
  return problem === undefined
    ? ok(key, `${where} is free`)
    : fail(key, `${where}: ${problem}`, `change ${key} in node.json`)
}
