import { resolve } from 'node:path'
import { type ReadOptions, readText } from './read.ts'
import type { RunnerConfig } from './runner-schema.ts'

/** What dockerode's constructor takes: one way to one engine, whatever DOCKER_HOST says. */
export type DockerOptions =
  | { readonly socketPath: string }
  | {
      readonly protocol: 'http' | 'https'
      readonly host: string
      readonly port: number
      readonly ca?: string
      readonly cert?: string
      readonly key?: string
    }

const LOCAL_SOCKET = process.platform === 'win32' ? '//./pipe/docker_engine' : '/var/run/docker.sock'
/** Docker's own: 2376 with TLS, 2375 without. */
const PORTS = { http: 2375, https: 2376 }

/** DOCKER_CONFIGS with the TLS files read. Their paths are relative to the operator's folder. */
export async function loadDockerOptions(
  dir: string,
  config: RunnerConfig,
  options: ReadOptions = {},
): Promise<DockerOptions> {
  const { socketPath, host, protocol = 'http', port = PORTS[protocol], ca, cert, key } = config.DOCKER_CONFIGS
  if (host === undefined) return { socketPath: socketPath ?? LOCAL_SOCKET }
  if (protocol === 'http' || ca === undefined || cert === undefined || key === undefined)
    return { protocol, host, port }
  const read = (file: string, name: string) =>
    readText(resolve(dir, file), `DOCKER_CONFIGS.${name}`, 'give the path of a PEM file', options)
  return {
    protocol,
    host,
    port,
    ca: await read(ca, 'ca'),
    cert: await read(cert, 'cert'),
    key: await read(key, 'key'),
  }
}
