import { formatMs, sanitizeText } from '../../base/format.ts'

/** How ids, addresses and times are shown to people. */
export interface IdFormats {
  id(id: string): string
  address(address: string): string
  peer(peerId: string): string
}

/** Shortened where a person reads them. The beginning of an id is enough for every command. */
export function idFormats(terminal: boolean): IdFormats {
  if (!terminal) return { id: clean, address: clean, peer: clean }
  return {
    id: (id) => clean(id).slice(0, 20),
    address: (address) => shorten(clean(address), 6),
    // all peer ids of ed25519 keys begin alike: their ends differ
    peer: (peerId) => `…${clean(peerId).slice(-8)}`,
  }
}

function clean(text: string): string {
  return sanitizeText(text, 200)
}

function shorten(text: string, ends: number): string {
  return text.length <= ends * 2 + 1 ? text : `${text.slice(0, ends)}…${text.slice(-ends)}`
}

/** "in 3h 5m", "2m 3s ago" */
export function when(seconds: number, nowSeconds: number): string {
  const away = seconds - nowSeconds
  if (away === 0) return 'now'
  return away >= 0 ? `in ${formatMs(away * 1000)}` : `${formatMs(-away * 1000)} ago`
}

/** "40s ago". A clock that differs a little makes it no future. */
export function ago(seconds: number, nowSeconds: number): string {
  return seconds >= nowSeconds ? 'a moment ago' : when(seconds, nowSeconds)
}

/** "2026-11-24 10:03:07" in UTC, as every time in the house. */
export function clockTime(ms: number): string {
  return new Date(ms).toISOString().replace('T', ' ').slice(0, 19)
}

/** How long it has been so: "3m 5s". A clock that differs a little makes it no future. */
export function since(seconds: number, nowSeconds: number): string {
  return formatMs(Math.max(0, nowSeconds - seconds) * 1000)
}
