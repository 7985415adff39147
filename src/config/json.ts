// Ours, not a library: a mistake is named with its line and column, and a key that occurs twice is refused.

/** Where and why a text is not JSON. Lines and columns count from 1. */
export class JsonSyntaxError extends Error {
  override readonly name = 'JsonSyntaxError'
  readonly line: number
  readonly column: number

  constructor(text: string, position: number, problem: string) {
    const before = text.slice(0, position).split('\n')
    const line = before.length
    const column = (before.at(-1) as string).length + 1
    super(`line ${line}, column ${column}: ${problem}`)
    this.line = line
    this.column = column
  }
}

/** Files of people are flat; this keeps the parser's own recursion small. */
const MAX_NESTING = 64
const SPACE = /(?:[ \t\r\n\ufeff]+|\/\/[^\n]*|\/\*[\s\S]*?\*\/)*/y
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids them inside quotes
const STRING = /"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\u0000-\u001f]*)*"/y
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const WORDS: readonly (readonly [string, unknown])[] = [
  ['true', true],
  ['false', false],
  ['null', null],
]

/**
 * JSON with comments (`//` to the end of the line, or blocks), as people write it in settings. Unlike JSON.parse it always reports where a
 * text is wrong, and refuses a key that is given twice: one of the two would be ignored in silence.
 */
export function parseJson(text: string): unknown {
  let at = 0

  function fail(problem: string): never {
    throw new JsonSyntaxError(text, at, problem)
  }

  function match(pattern: RegExp): string | undefined {
    pattern.lastIndex = at
    const found = pattern.exec(text)?.[0]
    if (found !== undefined) at += found.length
    return found
  }

  function skip(mark: string): boolean {
    match(SPACE)
    if (text[at] !== mark) return false
    at++
    match(SPACE)
    return true
  }

  function unexpected(wanted: string): never {
    if (text.startsWith('/*', at)) fail('this comment is never closed')
    return fail(
      at >= text.length
        ? `the file ends where ${wanted} should be`
        : `found ${JSON.stringify(text[at])} where ${wanted} should be`,
    )
  }

  function value(nesting: number): unknown {
    if (nesting > MAX_NESTING) fail(`nested more than ${MAX_NESTING} deep`)
    if (skip('{')) return object(nesting)
    if (skip('[')) return array(nesting)
    const quoted = text[at] === '"' ? string() : undefined
    if (quoted !== undefined) return quoted
    const number = match(NUMBER)
    if (number !== undefined) return Number(number)
    for (const [word, meaning] of WORDS) {
      if (text.startsWith(word, at)) {
        at += word.length
        return meaning
      }
    }
    return unexpected('a value')
  }

  function string(): string {
    const quoted = match(STRING)
    return quoted === undefined
      ? fail('this text is never closed, or has a character that must be escaped')
      : JSON.parse(quoted)
  }

  function array(nesting: number): unknown[] {
    const items: unknown[] = []
    if (skip(']')) return items
    for (;;) {
      items.push(value(nesting + 1))
      if (skip(']')) return items
      if (!skip(',')) unexpected('"," or "]"')
    }
  }

  function object(nesting: number): Record<string, unknown> {
    const entries = new Map<string, unknown>()
    if (skip('}')) return {}
    for (;;) {
      if (text[at] !== '"') unexpected('a key in double quotes')
      const start = at
      const key = string()
      if (entries.has(key) || key === '__proto__') {
        at = start
        fail(
          key === '__proto__' ? 'the key "__proto__" is not allowed' : `the key ${JSON.stringify(key)} is given twice`,
        )
      }
      if (!skip(':')) unexpected('":"')
      entries.set(key, value(nesting + 1))
      if (skip('}')) return Object.fromEntries(entries)
      if (!skip(',')) unexpected('"," or "}"')
    }
  }

  match(SPACE)
  const result = value(0)
  match(SPACE)
  if (at < text.length) unexpected('the end of the file')
  return result
}
