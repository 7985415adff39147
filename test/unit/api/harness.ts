import { test as base, expect } from 'vitest'
import { createApi, createApiClient, serveApi } from '../../../src/api/index.ts'
import type { ApiComponents } from '../../../src/api/types.ts'
import { type Clock, manualClock, systemClock } from '../../../src/base/clock.ts'
import { createLog } from '../../../src/base/log.ts'
import { announcementOf, createFakeNode } from '../../fixtures/node/fake-node.ts'
import { readDocument } from './document.ts'

export const TOKEN = 'operator-token-of-32-characters-0'

/** An API around a fake node, called without a socket. Each answer must be one that the OpenAPI document declares. */
export function apiInMemory(host?: string, more: Pick<ApiComponents, 'metrics' | 'alerts'> = {}) {
  const made = apiOf(manualClock(), host, more)
  const document = readDocument(made.api)
  const ask = async (path: string, init: RequestInit & { token?: string | null } = {}) => {
    const { token = TOKEN, ...rest } = init
    const headers = new Headers(rest.headers)
    if (token !== null) headers.set('authorization', `Bearer ${token}`)
    const request = new Request(`http://127.0.0.1:4981${path}`, { ...rest, headers })
    const answer = await made.api.fetch(request)
    await (await document).expectDeclared(request, answer)
    return answer
  }
  return {
    ...made,
    document,
    ask,
    /** What an answer says, as JSON. */
    json: async (path: string, init: Parameters<typeof ask>[1] = {}) => (await ask(path, init)).json() as Promise<Json>,
    [Symbol.dispose]: () => made.api[Symbol.dispose](),
  }
}

/** The same behind a real socket, with a client. */
export async function apiOnLoopback() {
  const made = apiOf(systemClock())
  const served = await serveApi(made.api, '127.0.0.1', 0)
  const client = createApiClient({ url: served.url, token: TOKEN, clock: made.clock })
  return { ...made, served, client, [Symbol.asyncDispose]: () => served[Symbol.asyncDispose]() }
}

function apiOf<Made extends Clock>(clock: Made, host?: string, more: Pick<ApiComponents, 'metrics' | 'alerts'> = {}) {
  const node = createFakeNode({ clock })
  const lines: string[] = []
  const log = createLog({ level: 'trace', write: (line) => void lines.push(line) })
  /** The node knows the service "hello". */
  const receive = async () => {
    const announcement = announcementOf(node.signer, { clock })
    await node.receive(announcement.bytes)
    return announcement
  }
  return { clock, node, lines, receive, api: createApi({ node, clock, log, token: TOKEN, host, ...more }) }
}

/** A test with an API that ends with it. */
export const test = base
  .extend('it', ({ onTestFinished }) => {
    const it = apiInMemory()
    onTestFinished(() => it[Symbol.dispose]())
    return it
  })
  .extend('loopback', async ({ onTestFinished }) => {
    const it = await apiOnLoopback()
    onTestFinished(() => it[Symbol.asyncDispose]())
    return it
  })

type Json = Record<string, unknown>

/** An answer's status, and what it says. */
export async function expectAnswer(
  response: Response | Promise<Response>,
  status: number,
  json: unknown,
): Promise<void> {
  const answer = await response
  expect(answer.status).toBe(status)
  // of a problem, what matters to the test
  if (status >= 400) expect(await answer.json()).toMatchObject(json as object)
  else expect(await answer.json()).toEqual(json)
}

/** A stream of events, which begins at once. */
export async function openStream(response: Response | Promise<Response>) {
  const { headers, body } = await response
  expect(headers.get('content-type')).toBe('text/event-stream')
  const reader = (body as ReadableStream<Uint8Array>).getReader()
  expect(await nextText(reader)).toBe(':\n\n')
  return reader
}

/** The next piece of a streamed body, as text. */
export async function nextText(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string> {
  const { value, done } = await reader.read()
  return done ? '<end>' : new TextDecoder().decode(value)
}
