import { decodeAddress, peerIdOf } from '../../protocols/address.ts'
import type { CID } from '../../protocols/encoding.ts'
import { serviceId } from '../../protocols/service.ts'
import { sleep } from '../base/clock.ts'
import { messageOf, NotFoundError } from '../base/errors.ts'
import type { LogLine } from '../base/run-record.ts'
import type { BytePipe } from '../base/stream.ts'
import { connectTunnel } from '../network/index.ts'
import { openPeerResults } from '../peer-client/results.ts'
import {
  request,
  requestStatus,
  requestStatusFrom,
  type StatusClientComponents,
  within,
} from '../peer-client/status.ts'
import type { AccessTokens } from './access-tokens.ts'
import type { AbortOptions, LightPeer, LookupOptions } from './types.ts'

/** How long nodes that have a run are looked for, and how often: the DHT may learn of a fresh run seconds after it began. */
const SEARCH_MS = 3_000
const SEARCH_AGAIN_MS = 500
/** What a node that may be connected to says of it, and one that may have a log. */
const REACHABLE: ReadonlySet<string> = new Set(['running', 'accepted', 'done'])
const HAS_RUN: ReadonlySet<string> = new Set(['running', 'accepted', 'done', 'failed', 'stopped'])

/** What a node is asked about: any id does, also that of a service which nobody has. */
const ANY_SERVICE = serviceId(new Uint8Array())

export interface LightRunsComponents extends StatusClientComponents {
  /** opens what is the author's alone */
  readonly token: AccessTokens
}

/** Runs of a service on other nodes: their nodes, ports and logs. */
export function createLightRuns(
  components: LightRunsComponents,
  init: { network: string },
): Pick<LightPeer, 'answers' | 'ask' | 'connect' | 'connectAt' | 'logs' | 'logsAt' | 'resultsAt'> {
  const { clock, streams, token } = components

  const ask = (service: CID, options: LookupOptions = {}) => requestStatus(components, init.network, service, options)

  /** Peers in one of these states, as they answer. */
  async function* runners(service: CID, states: ReadonlySet<string>, options: LookupOptions): AsyncGenerator<string> {
    const until = clock.monotonic() + SEARCH_MS
    for (;;) {
      const left = Math.max(0, until - clock.monotonic())
      let found = false
      for await (const { body } of within(clock, left, options.signal, (signal) =>
        ask(service, { ...options, signal }),
      )) {
        if (!states.has(body.state)) continue
        found = true
        yield peerIdOf(decodeAddress(body.node))
      }
      if (found || clock.monotonic() + SEARCH_AGAIN_MS >= until) return
      await sleep(clock, SEARCH_AGAIN_MS, { signal: options.signal })
    }
  }

  function connectAt(peer: string, service: CID, port: string, options: AbortOptions = {}): Promise<BytePipe> {
    return connectTunnel(streams, peer, { v: 1, service, port, token: token(service, 'tunnel') }, options)
  }

  async function* logsAt(
    peer: string,
    service: CID,
    { tail, follow, signal }: { tail: number; follow: boolean } & AbortOptions,
  ): AsyncGenerator<LogLine> {
    const asked = { v: 1, want: 'logs', service, tail, follow, token: token(service, 'logs') } as const
    for await (const answer of request(streams, peer, asked, signal)) {
      if (answer.is === 'log') yield { stream: answer.stream, at: answer.at, line: answer.line }
    }
  }

  return {
    async answers(peer, { signal }) {
      try {
        return (await requestStatusFrom(components, init.network, ANY_SERVICE, peer, signal)) !== undefined
      } catch {
        signal.throwIfAborted()
        return false
      }
    },
    ask,
    connectAt,
    logsAt,
    resultsAt: (peer, service, { signal } = {}) =>
      openPeerResults(components, peer, {
        ...{ network: init.network, service, token: token(service, 'results') },
        signal,
      }),
    async connect(service, port, options = {}) {
      let last: unknown = new NotFoundError('no node was found that runs the service')
      for await (const peer of runners(service, REACHABLE, options)) {
        try {
          return await connectAt(peer, service, port, options)
        } catch (error) {
          last = error
        }
      }
      throw last
    },
    async *logs(service, { tail, follow, ...looking }) {
      let found = false
      let failure: unknown
      // all that answer in time, before any log is read: reading one takes as long as it takes
      const peers: string[] = []
      for await (const peer of runners(service, HAS_RUN, looking)) {
        peers.push(peer)
        if (follow) break
      }
      for (const peer of peers) {
        try {
          yield* logsAt(peer, service, { tail, follow, signal: looking.signal })
          found = true
        } catch (error) {
          failure = error
          yield { stream: 'node', at: clock.now(), line: `the logs at ${peer} cannot be read: ${messageOf(error)}` }
        }
      }
      if (!found) throw failure ?? new NotFoundError('no node was found that has a log of the service')
    },
  }
}
