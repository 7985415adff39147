import { signal } from '@preact/signals'
import { createParser } from 'eventsource-parser'
import { Problem, request } from './request.ts'

/** Whether what the pages show is what the node says now. `since`, `retryAt` in ms. */
export type Connection =
  | { readonly state: 'connecting' }
  | { readonly state: 'live'; readonly since: number }
  | { readonly state: 'lost'; readonly since: number; readonly retryAt: number; readonly tries: number }
  | { readonly state: 'signed-out' }

export type LiveEvent = { readonly id: string; readonly name: string; readonly detail: unknown; readonly at: number }

type Listener = (events: readonly LiveEvent[]) => void

/** The node writes something each 15 seconds: a connection that is silent for longer is gone, whatever the system says. */
const SILENCE_MS = 35_000
const RETRY_MS = [500, 1_000, 2_000, 4_000, 8_000] as const
/** Events come in lots: a page that is drawn for each would be drawn two hundred times a second. */
const LOT_MS = 200
/** Between two lots no more are kept: the pages read the node again anyway. */
const MAX_LOT = 500

export const connection = signal<Connection>({ state: 'connecting' })
/** Counts the connections that were made: what was read before is read again. */
export const connectionCount = signal(0)

const listeners = new Set<Listener>()
let lot: LiveEvent[] = []
let lotWaits = false
let lastId = ''
let started = false
let wake: (() => void) | undefined

/** Hears what happens in the node from now on. Returns how to stop. */
export function listen(listener: Listener): () => void {
  listeners.add(listener)
  return () => void listeners.delete(listener)
}

/** Follows the node's events for as long as the page is there. */
export function startLive(): void {
  if (started) return
  started = true
  void follow()
}

/** Tries now instead of later. */
export function retryNow(): void {
  wake?.()
}

async function follow(): Promise<never> {
  let tries = 0
  let lostSince = 0
  for (;;) {
    const connected = () => {
      tries = 0
      lostSince = 0
      connection.value = { state: 'live', since: Date.now() }
      connectionCount.value++
    }
    try {
      await readEvents(connected)
    } catch (error) {
      if (error instanceof Problem && error.status === 401) {
        connection.value = { state: 'signed-out' }
        await new Promise<void>((resolve) => {
          wake = resolve
        })
        continue
      }
    }
    if (lostSince === 0) lostSince = Date.now()
    const waitMs = RETRY_MS[Math.min(tries, RETRY_MS.length - 1)] ?? 1_000
    tries++
    connection.value = { state: 'lost', since: lostSince, retryAt: Date.now() + waitMs, tries }
    await pause(waitMs)
  }
}

/** Resolves when the stream ends. */
async function readEvents(connected: () => void): Promise<void> {
  const given = new AbortController()
  let timer = setTimeout(() => given.abort(), SILENCE_MS)
  try {
    const headers: Record<string, string> = lastId === '' ? {} : { 'last-event-id': lastId }
    const response = await request('/events', { signal: given.signal, headers })
    connected()
    const parser = createParser({ onEvent: ({ event, id, data }) => take(event ?? '', id ?? '', data) })
    const decoder = new TextDecoder()
    const reader = response.body?.getReader()
    for (;;) {
      const piece = await reader?.read()
      clearTimeout(timer)
      if (piece === undefined || piece.done) return
      timer = setTimeout(() => given.abort(), SILENCE_MS)
      parser.feed(decoder.decode(piece.value, { stream: true }))
    }
  } finally {
    clearTimeout(timer)
    given.abort()
  }
}

function take(name: string, id: string, data: string): void {
  if (id !== '') lastId = id
  if (lot.length < MAX_LOT) lot.push({ id, name, detail: JSON.parse(data) as unknown, at: Date.now() })
  if (lotWaits) return
  lotWaits = true
  setTimeout(() => {
    const events = lot
    lot = []
    lotWaits = false
    for (const listener of listeners) listener(events)
  }, LOT_MS)
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    wake = () => {
      clearTimeout(timer)
      resolve()
    }
  })
}
