/**
 * Characters that control a terminal or are invisible: controls, what turns the direction of writing, what is not drawn
 * (zero width, tags, variation selectors, fillers), separators of lines, and halves of a surrogate pair.
 */
const UNSEEN = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]/gu
/** Most text has none: this is found out several times as fast. */
const PLAIN = /^[\x20-\x7e\n]*$/

/** Text from the network, for a place in a line: characters that would do something or hide are replaced, the length is bounded. */
export function sanitizeText(text: string, max = 200): string {
  const clean = text.replace(UNSEEN, '\ufffd')
  if (clean.length <= max) return clean
  // not in the middle of a pair
  return `${clean.slice(0, max - 3).replace(/[\ud800-\udbff]$/, '')}...`
}

/**
 * Whole output, for a terminal: such characters as JSON writes them ("\u009b"), but line ends and tabs. JSON stays the
 * same JSON.
 */
export function escapeUnseen(text: string): string {
  if (PLAIN.test(text)) return text
  return text.replace(UNSEEN, (found) => (found === '\n' || found === '\t' ? found : unitsOf(found)))
}

function unitsOf(text: string): string {
  return text
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('')
}

/** 1536 -> "1.5 KiB" */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${Number.isInteger(value) ? value : value.toFixed(1)} ${units[unit]}`
}

/** 100000 -> "100,000" */
export function formatCount(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** "512MiB" -> 536870912; undefined if the text is not a size. Without a unit: bytes. */
export function parseBytes(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*(B|K|KB|KiB|M|MB|MiB|G|GB|GiB|T|TB|TiB)?$/i.exec(text.trim())
  if (match === null) return undefined
  const unit = (match[2] ?? 'B').toLowerCase()
  const power = ['b', 'k', 'm', 'g', 't'].indexOf(unit.charAt(0))
  const base = unit.length === 2 && unit.endsWith('b') ? 1000 : 1024
  return Math.round(Number(match[1]) * base ** power)
}

/** "90s", "15m", "24h", "7d" -> seconds; undefined if the text is not a duration. */
export function parseSeconds(text: string): number | undefined {
  const match = /^(\d+)\s*(s|m|h|d)?$/.exec(text.trim())
  if (match === null) return undefined
  const factor = { s: 1, m: 60, h: 3600, d: 86_400 }[match[2] ?? 's'] as number
  return Number(match[1]) * factor
}

/** 10 -> "10s", 90 -> "90s", 7200 -> "2h": as it is written in files */
export function formatSeconds(seconds: number): string {
  for (const [unit, factor] of [
    ['d', 86_400],
    ['h', 3600],
    ['m', 60],
  ] as const) {
    if (seconds >= factor && seconds % factor === 0) return `${seconds / factor}${unit}`
  }
  return `${seconds}s`
}

/** 95000 -> "1m 35s" */
export function formatMs(ms: number): string {
  // the bounds are where rounding reaches the next unit
  if (ms < 999.5) return `${Math.round(ms)} ms`
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes}m ${seconds % 60}s`
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? `${hours}h ${minutes % 60}m` : `${Math.floor(hours / 24)}d ${hours % 24}h`
}

/** The known word that was probably meant, if any is close. */
export function closestMatch(word: string, known: Iterable<string>): string | undefined {
  let best: { word: string; distance: number } | undefined
  for (const candidate of known) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase())
    if (best === undefined || distance < best.distance) best = { word: candidate, distance }
  }
  return best !== undefined && best.distance <= Math.max(2, Math.floor(word.length / 3)) ? best.word : undefined
}

/** "a", "a and b", "a, b and c" */
export function joinWords(words: readonly string[], last = 'and'): string {
  if (words.length < 2) return words.join('')
  return `${words.slice(0, -1).join(', ')} ${last} ${words.at(-1)}`
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min((row[j] as number) + 1, (next[j - 1] as number) + 1, change))
    }
    row = next
  }
  return row[b.length] as number
}

/** At most `max` bytes of UTF-8, cut between characters. */
export function truncateUtf8(text: string, max: number): string {
  if (Buffer.byteLength(text) <= max) return text
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(max - 3))
  return `${text.slice(0, read)}...`
}

/** "1 file", "2,000 files". */
export function howMany(count: number, one: string, many: string): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`
}
