import { createApi, createApiClient, serveApi } from '../../../src/api/index.ts'
import { manualClock, systemClock } from '../../../src/base/clock.ts'
import { createLog } from '../../../src/base/log.ts'
import { createNodeTwin } from '../../fixtures/node/fake-node.ts'

export const TOKEN = 'operator-token-of-32-characters-0'

/** An API around a twin, called without a socket. */
export function apiInMemory(host?: string) {
  const clock = manualClock()
  const node = createNodeTwin({ clock })
  const lines: string[] = []
  const log = createLog({ level: 'trace', write: (line) => void lines.push(line) })
  const api = createApi({ node, clock, log, token: TOKEN, host })
  const ask = (path: string, init: RequestInit & { token?: string | null } = {}) => {
    const { token = TOKEN, ...rest } = init
    const headers = new Headers(rest.headers)
    if (token !== null) headers.set('authorization', `Bearer ${token}`)
    return api.fetch(new Request(`http://127.0.0.1:4981${path}`, { ...rest, headers }))
  }
  return { clock, node, lines, api, ask, [Symbol.dispose]: () => api[Symbol.dispose]() }
}

/** The same behind a real socket, with a client. */
export async function apiOnLoopback() {
  const clock = systemClock()
  const node = createNodeTwin({ clock })
  const lines: string[] = []
  const log = createLog({ level: 'trace', write: (line) => void lines.push(line) })
  const api = createApi({ node, clock, log, token: TOKEN })
  const served = await serveApi(api, '127.0.0.1', 0)
  const client = createApiClient({ url: served.url, token: TOKEN, clock })
  return { clock, node, lines, api, served, client, [Symbol.asyncDispose]: () => served[Symbol.asyncDispose]() }
}

/** The next piece of a streamed body, as text. */
export async function nextText(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string> {
  const { value, done } = await reader.read()
  return done ? '<end>' : new TextDecoder().decode(value)
}
