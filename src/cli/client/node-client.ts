import { join, resolve } from 'node:path'
import { type ApiClient, createApiClient } from '../../api/client/client.ts'
import { NoDaemonError } from '../../api/client/errors.ts'
import { InputError } from '../../base/errors.ts'
import { livingOwner } from '../../base/os/pid-lock.ts'
import type { Configuration } from '../../config/index.ts'
import type { Cli } from '../cli.ts'
import { operatorFolder } from '../operator-folder.ts'
import { findOperatorSocket } from '../operator-socket.ts'
import { readEndpoint } from './endpoint.ts'

/** A client of the node that this command is about: --api, else the one of the operator's folder, by its socket where it can be. */
export async function nodeClient(cli: Cli): Promise<ApiClient> {
  const { globals, clock } = cli
  if (globals.api !== undefined) {
    const url = originOf(globals.api)
    return createApiClient({ url, token: await tokenFor(cli), clock })
  }
  const dir = await operatorFolder(cli)
  const advice = `start it with \`thundercloud start ${dir}\``
  const socketPath = globals.tokenFile === undefined ? await findOperatorSocket(dir, cli.env) : undefined
  if (socketPath !== undefined) return createApiClient({ url: 'http://localhost', socketPath, clock, advice })
  const { loadEndpoint, loadToken } = await import('../../config/index.ts')
  const { api, dataDir } = await loadEndpoint(dir, { env: cli.env, signal: cli.signal }).catch((error: unknown) => {
    if (globals.dir !== undefined || !(error instanceof InputError)) throw error
    throw new InputError(`${error.message}; or name the folder with --dir, or the node with --api`, { cause: error })
  })
  if (api === false) {
    throw new NoDaemonError(
      `no node runs in ${dir} with a socket that this user may open, and API is false in node.json; ${advice}`,
    )
  }
  const owner = await livingOwner(join(dataDir, 'node.pid'))
  const noted = owner === undefined ? undefined : await readEndpoint(dataDir)
  if (globals.tokenFile !== undefined) {
    // of another user, who may not see whether the node runs; both token and folder are named
    const url = noted ?? addressOf(api)
    if (url === undefined) throw new NoDaemonError(`no node runs in ${dir}; ${advice}`)
    return createApiClient({ url, token: await tokenFor(cli), clock, advice })
  }
  // the address of a dead node may belong to another program by now, which would get the token
  if (owner === undefined) {
    throw new NoDaemonError(`no node runs in ${dir}; ${advice}, or name the address of one elsewhere with --api`)
  }
  if (noted === undefined) {
    throw new NoDaemonError(`the node of ${dir} (pid ${owner}) has not opened its API yet; try again in a moment`)
  }
  return createApiClient({ url: noted, token: await loadToken(dir, { signal: cli.signal }), clock, advice })
}

/** Undefined where the node chooses a port itself. */
function addressOf({ host, port, tls }: Exclude<Configuration['api'], false>): string | undefined {
  if (port === 0) return undefined
  const literal = host.includes(':') ? `[${host}]` : host
  return `${tls === undefined ? 'http' : 'https'}://${literal.replace(/^0\.0\.0\.0$/, '127.0.0.1').replace(/^\[::\]$/, '[::1]')}:${port}`
}

export function originOf(text: string): string {
  if (/^https?:\/\//.test(text) && URL.canParse(text)) {
    const { username, password, origin } = new URL(text)
    if (username === '' && password === '') return origin
  }
  throw new InputError(`--api is ${JSON.stringify(text)}; allowed is an address like http://127.0.0.1:4981`)
}

async function tokenFor({ globals, cwd, signal }: Cli): Promise<string | undefined> {
  // a folder's token goes to that folder's node, and elsewhere only where the folder was named beside --api
  if (globals.tokenFile === undefined) {
    const { loadToken } = await import('../../config/index.ts')
    return globals.dir === undefined ? undefined : await loadToken(resolve(cwd, globals.dir), { signal })
  }
  const { readText } = await import('../../config/index.ts')
  const [file, advice] = [`--token-file ${globals.tokenFile}`, "name a copy of the node's api.token"]
  const text = await readText(resolve(cwd, globals.tokenFile), file, advice, { signal })
  if (/^[\w-]{32,256}$/.test(text.trim())) return text.trim()
  throw new InputError(`${file} has no token; ${advice}`)
}
