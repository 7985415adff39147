import { join, resolve } from 'node:path'
import { InputError } from '../../base/errors.ts'
import { isLoopbackHost } from '../../base/loopback-host.ts'
import { type ReadOptions, readText } from '../read.ts'
import { type DockerEnvironment, type FoundEngine, findEngine } from './docker-environment.ts'
import type { RunnerConfig } from './runner-schema.ts'

/** What dockerode's constructor takes: one way to one engine; and what said so, where it was not DOCKER_CONFIGS. */
export type DockerOptions = { readonly from?: string } & (
  | { readonly socketPath: string }
  | {
      readonly protocol: 'http' | 'https'
      readonly host: string
      readonly port: number
      readonly ca?: string
      readonly cert?: string
      readonly key?: string
    }
)

type Options = ReadOptions & { environment?: DockerEnvironment | undefined }

const LOCAL_SOCKET = process.platform === 'win32' ? '//./pipe/docker_engine' : '/var/run/docker.sock'
/** Docker's own: 2376 with TLS, 2375 without. */
const PORTS = { http: 2375, https: 2376 }

/**
 * DOCKER_CONFIGS with the TLS files read; their paths are relative to the operator's folder. Where it is empty, what
 * Docker's own command goes by: DOCKER_HOST, its context, the standard socket, a rootless engine's socket.
 */
export async function loadDockerOptions(
  dir: string,
  config: RunnerConfig,
  { environment, ...options }: Options = {},
): Promise<DockerOptions> {
  const { socketPath, host, protocol = 'http', port = PORTS[protocol], ca, cert, key } = config.DOCKER_CONFIGS
  if (socketPath !== undefined) return { socketPath: pathOfSocket(socketPath) }
  if (host === undefined) return (await fromEnvironment(environment, options)) ?? { socketPath: LOCAL_SOCKET }
  if (protocol === 'http' || ca === undefined || cert === undefined || key === undefined)
    return { protocol, host, port }
  const read = (file: string, name: string) =>
    readText(resolve(dir, file), `DOCKER_CONFIGS.${name}`, 'give the path of a PEM file', options)
  return { protocol, host, port, ca: await read(ca, 'ca'), cert: await read(cert, 'cert'), key: await read(key, 'key') }
}

/** As people copy it: with the scheme that Docker's own command wants. */
function pathOfSocket(text: string): string {
  const scheme = /^([a-z]+):\/\//.exec(text)?.[1]
  if (scheme === undefined || text.startsWith('//')) return text
  if (scheme === 'unix') return text.slice('unix://'.length)
  throw new InputError(
    `DOCKER_CONFIGS.socketPath "${text}" is no path of a socket; for ${scheme}:// set DOCKER_CONFIGS.host and port`,
  )
}

async function fromEnvironment(
  environment: DockerEnvironment | undefined,
  options: ReadOptions,
): Promise<DockerOptions | undefined> {
  const found = environment && (await findEngine(environment, LOCAL_SOCKET))
  if (found === undefined) return undefined
  const { url, from } = found
  if (url.startsWith('unix://')) return { socketPath: url.slice('unix://'.length), from }
  const address = /^(?:tcp|https?):\/\//.test(url) && URL.canParse(url) ? new URL(url) : undefined
  const protocol = found.certs === undefined ? 'http' : 'https'
  // Neither ssh nor plain TCP to another machine: treated as not set, and reported to the operator.
  if (address === undefined || (protocol === 'http' && !isLoopbackHost(address.hostname)))
    return { socketPath: LOCAL_SOCKET, from: `${from} says "${url}", which the node cannot use` }
  const way = { protocol, host: address.hostname, port: Number(address.port) || PORTS[protocol], from } as const
  return protocol === 'http' ? way : { ...way, ...(await readCerts(found, options)) }
}

async function readCerts({ certs = '', from }: FoundEngine, options: ReadOptions) {
  const read = (name: string) => readText(join(certs, name), `${name} of ${from}`, 'make the three files', options)
  return { ca: await read('ca.pem'), cert: await read('cert.pem'), key: await read('key.pem') }
}
