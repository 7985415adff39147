import { access } from 'node:fs/promises'
import type { Agent as AnyAgent } from 'node:http'
import { Agent } from 'node:https'
import type Docker from 'dockerode'
import { raceSignal } from 'race-signal'
import { type Clock, deadline } from '../../base/clock.ts'
import { errnoOf, InputError, messageOf, ThundercloudError } from '../../base/errors.ts'
import { EngineGoneError } from '../errors.ts'
import { describeEngine, isLoopback, LOCAL_SOCKET, portOf } from './address.ts'
import { connectionErrorText } from './connection-errors.ts'
import type { DockerConfig } from './types.ts'

/** Answers that take longer never come: creating a container takes 0.1 s, on a busy disk a few seconds. */
const ANSWER_MS = 120_000
/** Before an idle connection is asked whether it still is one. */
const KEEP_ALIVE_MS = 15_000

/** Where the client connects to. Throws an InputError for an engine that must not be used. */
export function engineOptions(config: DockerConfig): Docker.DockerOptions {
  const { socketPath, protocol, host, port, ca, cert, key, through } = config
  // where the connections lead is the agent's matter
  if (through !== undefined) return { protocol: 'http', host: 'localhost', port: portOf(false) }
  if (host === undefined) return { socketPath: socketPath ?? LOCAL_SOCKET }
  if (!isLoopback(config) && protocol !== 'https') {
    throw new InputError(
      `DOCKER_CONFIGS.host "${host}" is not this machine, and plain TCP would give it to anyone on the way; ` +
        'use protocol "https" with ca, cert and key',
    )
  }
  return { protocol: protocol ?? 'http', host, port: port ?? portOf(protocol === 'https'), ca, cert, key }
}

/** The HTTP status that the engine answered with. */
export function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('statusCode' in error)) return undefined
  return typeof error.statusCode === 'number' ? error.statusCode : undefined
}

/** What the engine says while it is busy with an earlier request, out of resources at the moment, or going down. */
const PASSING =
  /already in (use|progress)|removal of container|no space left|cannot allocate memory|resource temporarily unavailable|too many open files|deadline exceeded|context canceled|timed? ?out|shutting down|transport is closing|connection (refused|reset|error)|non.running container|try again|device or resource busy/i

/** Is this answer one that may be another a moment later? Any other is the engine's final answer. */
export function isTransient(error: unknown): boolean {
  const status = statusOf(error)
  return status === 429 || status === 502 || status === 503 || status === 504 || PASSING.test(reasonOf(error))
}

/** The engine's own sentence. */
export function reasonOf(error: unknown): string {
  if (error instanceof Error && 'json' in error && typeof error.json === 'object' && error.json !== null) {
    if ('message' in error.json && typeof error.json.message === 'string') return error.json.message
  }
  return messageOf(error)
}

/** Why an engine cannot be used: that it does not answer, or what it answers instead. */
export function refusalOf(error: unknown, config: DockerConfig): string {
  const status = statusOf(error)
  if (status === undefined) return messageOf(error)
  const reason = reasonOf(error).slice(0, 200)
  return `the Docker engine at ${describeEngine(config)} answers with HTTP status ${status}${reason === '' ? '' : `: ${reason}`}`
}

/** Options of a query string. dockerode cuts off the last letter of a path that already contains the values. */
export function queryParams(values: Record<string, string>) {
  return { _query: values, _body: {} }
}

/** The client would put all options behind the path's question mark, too, where proxies allow a few kilobytes. */
export async function createContainer(
  { ask, cgroupParent }: Pick<Engine, 'ask' | 'cgroupParent'>,
  options: Docker.ContainerCreateOptions,
): Promise<void> {
  const place = cgroupParent === undefined ? {} : { CgroupParent: cgroupParent }
  const body = { ...options, HostConfig: { ...options.HostConfig, ...place } }
  const split: object = { _query: { name: options.name }, _body: body }
  await ask((docker) => docker.createContainer(split))
}

/** An engine and the ways to ask it, none of which waits for ever when it dies in the middle of an answer. */
export type Engine = {
  /** the control group that its containers are made in; undefined: its own */
  readonly cgroupParent?: string | undefined
  /** Closes what is kept open between two questions. */
  close(): void
  /** That it does not answer (an EngineGoneError) is distinct from what it answers. */
  ask<T>(call: (docker: Docker) => Promise<T>, patienceMs?: number): Promise<T>
  /** As `ask`, with undefined where the engine knows no such thing. */
  askMaybe<T>(call: (docker: Docker) => Promise<T>): Promise<T | undefined>
  /** Resolves when a container that was started has ended. */
  waitForExit(name: string, signal?: AbortSignal): Promise<void>
}

export function createEngine(config: DockerConfig, clock: Clock): Engine {
  // A wait goes on for as long as its run; a dead connection must be noticed before that.
  const kept = config.protocol === 'https' ? new Agent({ keepAlive: true, keepAliveMsecs: KEEP_ALIVE_MS }) : undefined
  const agent: AnyAgent | undefined = config.through?.agent ?? kept
  const options = { ...engineOptions(config), ...(agent !== undefined && { agent }) }
  let client: Promise<Docker> | undefined
  const gone = (error: unknown) => new EngineGoneError(connectionErrorText(error, config), { cause: error })

  /** Loading the client takes longer than the rest of a node's start: a machine without an engine does not pay for it. */
  async function connected(): Promise<Docker> {
    if (client === undefined && options.socketPath !== undefined) await access(options.socketPath)
    client ??= load()
    return client
  }

  async function load(): Promise<Docker> {
    try {
      const { default: Client } = await import('dockerode')
      return new Client(options)
    } catch (error) {
      // out of descriptors, say: the next question loads it again
      client = undefined
      throw error
    }
  }

  async function ask<T>(call: (docker: Docker) => Promise<T>, patienceMs = ANSWER_MS): Promise<T> {
    const late = new EngineGoneError('the Docker engine does not answer in time')
    try {
      using limit = deadline(clock, patienceMs, late)
      return await raceSignal(connected().then(call), limit.signal)
    } catch (error) {
      if (error instanceof ThundercloudError || aborted(error)) throw error
      throw statusOf(error) === undefined || isPlainToTls(error) ? gone(error) : error
    }
  }

  return {
    get cgroupParent() {
      return config.through?.cgroupParent
    },
    close: () => agent?.destroy(),
    ask,
    async askMaybe(call) {
      try {
        return await ask(call)
      } catch (error) {
        if (statusOf(error) === 404) return undefined
        throw error
      }
    },
    async waitForExit(name, signal) {
      // "next-exit" would wait in vain for a container that ends before the engine has read the request.
      const request = {
        path: `/containers/${encodeURIComponent(name)}/wait?`,
        options: queryParams({ condition: 'not-running' }),
        method: 'POST',
        isStream: true,
        abortSignal: signal,
        statusCodes: { 200: true, 404: 'gone' },
      }
      try {
        const docker = await connected()
        const answer = await new Promise((resolve, reject) => {
          docker.modem.dial(request, (error: unknown, stream: unknown) => (error ? reject(error) : resolve(stream)))
        })
        // Read as a stream: where the connection breaks a whole answer would never come, and never fail.
        for await (const _part of answer as AsyncIterable<unknown>);
      } catch (error) {
        signal?.throwIfAborted()
        throw statusOf(error) === undefined ? gone(error) : error
      }
    },
  }
}

function aborted(error: unknown): boolean {
  return error instanceof Error && (error.name === 'AbortError' || errnoOf(error) === 'ABORT_ERR')
}

/** The answer to a client that does not use TLS where the engine does. */
function isPlainToTls(error: unknown): boolean {
  return statusOf(error) === 400 && /HTTP request to an HTTPS server/i.test(messageOf(error))
}

export async function removeContainer(engine: Engine, name: string): Promise<void> {
  try {
    await engine.askMaybe((docker) => docker.getContainer(name).remove({ force: true, v: true }))
  } catch (error) {
    // 409: another removal of the same is on its way
    if (statusOf(error) !== 409) throw error
  }
}

/** The name of a container says whose it is, in the engine itself. */
export function renameContainer(engine: Engine, from: string, to: string): Promise<void> {
  return engine.ask(async (docker) => void (await docker.getContainer(from).rename({ name: to })))
}

/** How the engine reports a command that is missing or is not a program. */
const NO_PROGRAM =
  /executable file not found|no such file or directory|permission denied|not a directory|exec format error/i

/** Is the command missing in the container, or no program? */
export function isNoProgram(error: unknown): boolean {
  return NO_PROGRAM.test(reasonOf(error))
}
