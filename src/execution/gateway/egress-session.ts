import { once } from 'node:events'
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2'
import type { Duplex } from 'node:stream'

/** A node attaches as soon as it has started a run; requests that come before wait. One that has gone is not waited for. */
const FIRST_MS = 10_000
/** Connections that a run has at once, with those that are being made, open or not: each costs the gateway and the node memory. */
export const MAX_CONNECTIONS = 64
/** In which the node says why not (src/egress/serve.ts). This folder runs alone, and imports nothing else. */
const PROBLEM_HEADER = 'x-problem'

export type Opened = { readonly stream: ClientHttp2Stream } | { readonly problem: string }

/** The gateway's end of the way to the node: HTTP/2, of which the node answers CONNECT. */
export interface EgressSession extends Disposable {
  /** The node is at the other end; it takes the place of one that attached before. */
  attach(pipe: Duplex): void
  /** Asks the node for a connection to `host:port`. */
  open(authority: string): Promise<Opened>
}

export function createEgressSession(): EgressSession {
  const first = Promise.withResolvers<void>()
  let session: ClientHttp2Session | undefined
  /** until the node has answered and the connection is over, whatever the run does meanwhile */
  let open = 0
  /** for the first node */
  let waiting = 0
  // biome-ignore lint/style/noRestrictedGlobals: it runs alone in a run's network, where no clock is handed in
  setTimeout(first.resolve, FIRST_MS).unref()

  async function ask(authority: string): Promise<Opened> {
    waiting++
    await first.promise
    waiting--
    const current = session
    if (current === undefined || current.destroyed || current.closed) return { problem: 'the node has gone' }
    const stream = current.request({ ':method': 'CONNECT', ':authority': authority }, { endStream: false })
    open++
    stream.once('close', () => open--)
    stream.on('error', () => {})
    const answer = await answerOf(stream)
    if (answer === undefined) return { problem: 'the node has gone' }
    if (answer[constants.HTTP2_HEADER_STATUS] === 200) return { stream }
    stream.close()
    return { problem: String(answer[PROBLEM_HEADER] ?? `${authority} cannot be reached`) }
  }

  return {
    attach(pipe) {
      session?.destroy()
      const made = connect('http://gateway', { createConnection: () => pipe })
      made.on('error', () => {})
      // a transport that has half ended is of no use
      pipe.once('end', () => made.destroy())
      made.once('close', () => {
        pipe.destroy()
        if (session === made) session = undefined
      })
      session = made
      first.resolve()
    },
    async open(authority) {
      if (open + waiting >= MAX_CONNECTIONS) return { problem: `no more than ${MAX_CONNECTIONS} connections at once` }
      return ask(authority)
    },
    [Symbol.dispose]: () => void session?.destroy(),
  }
}

/** Undefined where the stream ends without one. */
async function answerOf(stream: ClientHttp2Stream): Promise<Record<string, unknown> | undefined> {
  const over = new AbortController()
  stream.once('close', () => over.abort())
  try {
    const [headers] = await once(stream, 'response', { signal: over.signal })
    return headers as Record<string, unknown>
  } catch {
    return undefined
  }
}
