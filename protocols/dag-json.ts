import { base32 } from 'multiformats/bases/base32'
import { CID } from 'multiformats/cid'
import { EncodingError, fieldPath, quoted } from './errors.ts'
import { MAX_NESTING } from './limits.ts'

const SPACE = /[ \t\r\n]*/y
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids them inside quotes
const STRING = /"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\u0000-\u001f]*)*"/y
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
const INTEGER = /^(?:0|-?[1-9][0-9]*)$/
const WORDS = [
  ['true', true],
  ['false', false],
  ['null', null],
] as const

/**
 * Reads DAG-JSON of structures: whatever has a form in dag-cbor, in one reading. Libraries disagree about the rest (padded
 * base64, a map with the key "/", 1.0 for 1, a key given twice), so all of it is refused.
 */
export function readDagJson(text: string): unknown {
  return new Reader(text).whole()
}

class Reader {
  readonly text: string
  readonly path: (string | number)[] = []
  at = 0

  constructor(text: string) {
    this.text = text
  }

  whole(): unknown {
    this.match(SPACE)
    const value = this.value(0)
    this.match(SPACE)
    if (this.at < this.text.length) throw this.broken(`found ${this.here()} after its end`)
    return value
  }

  private broken(problem: string): EncodingError {
    return new EncodingError(fieldPath(this.path), `is not DAG-JSON: ${problem} (at character ${this.at})`)
  }

  private here(): string {
    return this.at < this.text.length ? quoted(this.text.slice(this.at, this.at + 1)) : 'the end'
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at
    const found = pattern.exec(this.text)?.[0]
    if (found !== undefined) this.at += found.length
    return found
  }

  private skip(mark: string): boolean {
    this.match(SPACE)
    if (this.text[this.at] !== mark) return false
    this.at++
    this.match(SPACE)
    return true
  }

  private need(mark: string): void {
    if (!this.skip(mark)) throw this.broken(`found ${this.here()} where "${mark}" should be`)
  }

  private value(depth: number): unknown {
    switch (this.text[this.at]) {
      case '"':
        return this.string()
      case '[':
        return this.list(depth + 1)
      case '{':
        return this.map(depth + 1)
    }
    for (const [word, value] of WORDS) {
      if (!this.text.startsWith(word, this.at)) continue
      this.at += word.length
      return value
    }
    return this.number()
  }

  private number(): number {
    const digits = this.match(NUMBER)
    if (digits === undefined) throw this.broken(`found ${this.here()} where a value should be`)
    const value = Number(digits)
    if (!INTEGER.test(digits)) throw this.broken(`${quoted(digits)} is no integer in its plain spelling`)
    if (!Number.isSafeInteger(value)) throw this.broken('numbers are whole and below 2^53')
    return value
  }

  private string(): string {
    const literal = this.match(STRING)
    if (literal === undefined) throw this.broken(`found ${this.here()} where text in quotes should be`)
    const text: string = JSON.parse(literal)
    if (!text.isWellFormed()) throw this.broken('text has half a surrogate pair, which UTF-8 has no form for')
    return text
  }

  private list(depth: number): unknown[] {
    this.deeper(depth)
    this.need('[')
    const items: unknown[] = []
    if (this.skip(']')) return items
    do {
      this.path.push(items.length)
      items.push(this.value(depth))
      this.path.pop()
    } while (this.skip(','))
    this.need(']')
    return items
  }

  private map(depth: number): unknown {
    this.need('{')
    const map: Record<string, unknown> = {}
    if (this.skip('}')) return this.deeper(depth) ?? map
    for (let first = true; first || this.skip(','); first = false) {
      const key = this.string()
      this.need(':')
      if (key === '/') return this.reserved(first)
      this.deeper(depth)
      this.path.push(key)
      if (key === '__proto__') throw this.broken('the map key "__proto__" is not allowed')
      if (Object.hasOwn(map, key)) throw this.broken('this map key is given twice')
      map[key] = this.value(depth)
      this.path.pop()
    }
    this.need('}')
    return map
  }

  /** The value of the key `/`: a CID or bytes, alone in its map. It is not a map, and so not a level of nesting. */
  private reserved(alone: boolean): unknown {
    const value = this.skip('{') ? this.bytes() : this.link(this.string())
    if (!alone || !this.skip('}')) throw this.broken('the key "/" stands alone in its map')
    return value
  }

  private bytes(): Uint8Array {
    if (this.string() !== 'bytes') throw this.broken('behind the key "/" stands a CID or {"bytes": ...}')
    this.need(':')
    const base64 = this.string()
    this.need('}')
    const bytes = Buffer.from(base64, 'base64')
    if (bytes.toString('base64').replace(/=+$/, '') === base64) return Uint8Array.from(bytes)
    throw this.broken(`${quoted(base64)} is no base64 without padding`)
  }

  private link(text: string): CID {
    try {
      const cid = CID.parse(text)
      // made from the bytes: a CID that was parsed keeps the text that it came from
      if (cid.version === 1 && base32.encode(cid.bytes) === text) return cid
    } catch {
      // said below
    }
    throw this.broken(`${quoted(text)} is no CIDv1 in lower-case base32`)
  }

  private deeper(depth: number): undefined {
    if (depth > MAX_NESTING) throw this.broken(`it nests deeper than ${MAX_NESTING}`)
  }
}
