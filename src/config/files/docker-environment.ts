import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Env } from '../env.ts'

/** What Docker's own command goes by, where DOCKER_CONFIGS does not say how the engine is reached. */
export type DockerEnvironment = {
  readonly host?: string | undefined
  readonly context?: string | undefined
  readonly tlsVerify: boolean
  readonly certPath?: string | undefined
  /** Docker's folder: DOCKER_CONFIG, else .docker in the home folder */
  readonly configDir?: string | undefined
  /** where sockets may lie, in this order */
  readonly sockets: readonly string[]
}

export type FoundEngine = {
  /** `unix://...`, `tcp://...` */
  readonly url: string
  /** where the setting comes from, for people */
  readonly from: string
  /** folder with ca.pem, cert.pem and key.pem */
  readonly certs?: string | undefined
}

export function dockerEnvironment(env: Env): DockerEnvironment {
  const home = env.HOME || undefined
  const configDir = env.DOCKER_CONFIG || (home && join(home, '.docker'))
  const rootless = [env.XDG_RUNTIME_DIR, home && join(home, '.docker/run'), home && join(home, '.docker/desktop')]
  return {
    host: env.DOCKER_HOST || undefined,
    context: env.DOCKER_CONTEXT || undefined,
    tlsVerify: (env.DOCKER_TLS_VERIFY ?? '') !== '',
    certPath: env.DOCKER_CERT_PATH || configDir,
    configDir,
    sockets: rootless.flatMap((dir) => (dir ? [join(dir, 'docker.sock')] : [])),
  }
}

/** The engine that Docker's own command would use, or a socket that is there; undefined: nothing says another than the default. */
export async function findEngine(environment: DockerEnvironment, standard: string): Promise<FoundEngine | undefined> {
  const { host, tlsVerify, certPath, sockets } = environment
  if (host !== undefined) return { url: host, from: 'DOCKER_HOST', certs: tlsVerify ? certPath : undefined }
  const context = await engineOfContext(environment)
  if (context !== undefined) return context
  if (await isSocket(standard)) return undefined
  for (const socket of sockets)
    if (await isSocket(socket)) return { url: `unix://${socket}`, from: 'a socket of this user' }
  return undefined
}

async function engineOfContext({ context, configDir }: DockerEnvironment): Promise<FoundEngine | undefined> {
  if (configDir === undefined) return undefined
  const name = context ?? textAt(await readSettings(join(configDir, 'config.json')), ['currentContext'])
  if (name === undefined || name === '' || name === 'default') return undefined
  const folder = createHash('sha256').update(name).digest('hex')
  const meta = await readSettings(join(configDir, 'contexts/meta', folder, 'meta.json'))
  const url = textAt(meta, ['Endpoints', 'docker', 'Host'])
  if (url === undefined) return undefined
  const certs = join(configDir, 'contexts/tls', folder, 'docker')
  const hasCerts = (await stat(join(certs, 'cert.pem')).catch(() => undefined)) !== undefined
  return { url, from: `the docker context "${name}"`, certs: hasCerts ? certs : undefined }
}

/** They are Docker's: what cannot be read says nothing. */
async function readSettings(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'))
  } catch {
    return undefined
  }
}

function textAt(value: unknown, keys: readonly string[]): string | undefined {
  let at = value
  for (const key of keys)
    at = typeof at === 'object' && at !== null ? Object.entries(at).find(([k]) => k === key)?.[1] : undefined
  return typeof at === 'string' ? at : undefined
}

async function isSocket(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isSocket() === true
}
