import Docker from 'dockerode'
import { codeOf, InputError, messageOf } from '../../base/errors.ts'
import { EngineGoneError } from '../errors.ts'
import type { DockerConfig } from './index.ts'

const LOCAL_SOCKET = '/var/run/docker.sock'
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/

/** Throws an InputError for an engine that must not, or can not, be used. */
export function connectEngine({ socketPath, protocol, host, port, ca, cert, key }: DockerConfig): Docker {
  if (host === undefined) return new Docker({ socketPath: socketPath ?? LOCAL_SOCKET })
  if (!LOOPBACK.test(host)) {
    // Code and doors are folders of this machine; over plain TCP, whoever is on the way would own the engine besides.
    const plain = protocol === 'https' ? '' : ', and plain TCP would give it to anyone on the way'
    throw new InputError(
      `DOCKER_CONFIGS.host "${host}" is not this machine${plain}; use a socket or a loopback address`,
    )
  }
  return new Docker({
    protocol: protocol ?? 'http',
    host,
    port: port ?? (protocol === 'https' ? 2376 : 2375),
    ca,
    cert,
    key,
  })
}

export function describeEngine({ socketPath, host, port }: DockerConfig): string {
  return host === undefined ? (socketPath ?? LOCAL_SOCKET) : `${host}:${port ?? 2375}`
}

/** The HTTP status that the engine answered with. */
export function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('statusCode' in error)) return undefined
  return typeof error.statusCode === 'number' ? error.statusCode : undefined
}

/** The engine's own sentence. */
export function reasonOf(error: unknown): string {
  if (error instanceof Error && 'json' in error && typeof error.json === 'object' && error.json !== null) {
    if ('message' in error.json && typeof error.json.message === 'string') return error.json.message
  }
  return messageOf(error)
}

/** Calls the engine; that it does not answer is told apart from what it answers. */
export async function ask<T>(call: Promise<T>): Promise<T> {
  try {
    return await call
  } catch (error) {
    throw statusOf(error) === undefined && !aborted(error)
      ? new EngineGoneError(goneText(error), { cause: error })
      : error
  }
}

/** As `ask`, with undefined where the engine knows no such thing. */
export async function askMaybe<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await ask(call)
  } catch (error) {
    if (statusOf(error) === 404) return undefined
    throw error
  }
}

function aborted(error: unknown): boolean {
  return error instanceof Error && (error.name === 'AbortError' || codeOf(error) === 'ABORT_ERR')
}

function goneText(error: unknown): string {
  const code = codeOf(error)
  if (code === 'EACCES') return 'the Docker engine does not let this user in: add it to the "docker" group'
  if (code === 'ENOENT' || code === 'ECONNREFUSED')
    return 'no Docker engine answers: install docker.io, or start dockerd'
  return `the Docker engine does not answer (${code ?? messageOf(error)})`
}
