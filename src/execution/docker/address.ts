import { isLoopbackHost } from '../../base/loopback-host.ts'
import type { DockerConfig } from './types.ts'

export const LOCAL_SOCKET = '/var/run/docker.sock'

/** Does DOCKER_CONFIGS name a way that begins on this machine? Where it leads is another question. */
export function isLoopback({ host, through }: DockerConfig): boolean {
  return through === undefined && (host === undefined || isLoopbackHost(host))
}

export function describeEngine({ socketPath, host, port, protocol, from, through }: DockerConfig): string {
  if (through !== undefined) return through.name
  const place = host === undefined ? (socketPath ?? LOCAL_SOCKET) : `${host}:${port ?? portOf(protocol === 'https')}`
  return from === undefined ? place : `${place} (${from})`
}

/** Docker's own. */
export function portOf(tls: boolean): number {
  return tls ? 2376 : 2375
}
