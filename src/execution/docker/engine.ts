import Docker from 'dockerode'
import type { Clock } from '../../base/clock.ts'
import { codeOf, InputError, messageOf } from '../../base/errors.ts'
import { EngineGoneError } from '../errors.ts'
import type { DockerConfig } from './index.ts'

/** Answers that take longer never come: creating a container takes 0.1 s, on a busy disk a few seconds. */
const ANSWER_MS = 120_000
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

/** An engine and the ways to ask it, none of which waits for ever when it dies in the middle of an answer. */
export type Engine = {
  readonly docker: Docker
  /** That it does not answer (an EngineGoneError) is told apart from what it answers. */
  ask<T>(call: Promise<T>, patienceMs?: number): Promise<T>
  /** As `ask`, with undefined where the engine knows no such thing. */
  askMaybe<T>(call: Promise<T>): Promise<T | undefined>
  /** Resolves when a container that was started has ended. */
  ended(name: string, signal?: AbortSignal): Promise<void>
}

export function createEngine(config: DockerConfig, clock: Clock): Engine {
  const docker = connectEngine(config)

  async function ask<T>(call: Promise<T>, patienceMs = ANSWER_MS): Promise<T> {
    const late = Promise.withResolvers<never>()
    using _timer = clock.after(patienceMs, () =>
      late.reject(new EngineGoneError('the Docker engine does not answer in time')),
    )
    try {
      return await Promise.race([call, late.promise])
    } catch (error) {
      if (error instanceof EngineGoneError || statusOf(error) !== undefined || aborted(error)) throw error
      throw new EngineGoneError(goneText(error), { cause: error })
    }
  }

  return {
    docker,
    ask,
    async askMaybe(call) {
      try {
        return await ask(call)
      } catch (error) {
        if (statusOf(error) === 404) return undefined
        throw error
      }
    },
    async ended(name, signal) {
      // "next-exit" would wait in vain for a container that ends before the engine has read the request.
      const path = `/containers/${encodeURIComponent(name)}/wait?condition=not-running`
      const options = {
        path,
        method: 'POST',
        isStream: true,
        abortSignal: signal,
        statusCodes: { 200: true, 404: 'gone' },
      }
      try {
        const answer = await new Promise((resolve, reject) => {
          docker.modem.dial(options, (error: unknown, stream: unknown) => (error ? reject(error) : resolve(stream)))
        })
        // Read as a stream: where the connection breaks a whole answer would never come, and never fail.
        for await (const _part of answer as AsyncIterable<unknown>);
      } catch (error) {
        signal?.throwIfAborted()
        throw statusOf(error) === undefined ? new EngineGoneError(goneText(error), { cause: error }) : error
      }
    },
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
