/**
 * Where what is in a text of JSON with comments. The text may be half written: what can be said of it is said.
 */
export type Path = readonly (string | number)[]
export type Entry = {
  readonly path: Path
  /** of the key, or of the value in a list */
  readonly from: number
  readonly to: number
}
/** What is typed at a place: a key of the object at `path`, or the value at `path`. */
export type Place = { readonly at: 'key' | 'value'; readonly path: Path }

type Frame = { readonly list: boolean; key: string | number | undefined; expects: 'key' | 'value' | 'comma' }
type Token = { readonly text: string; readonly from: number }

const TOKEN = /\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|"(?:[^"\\\n]|\\.)*"?|[{}[\]:,]|[^\s{}[\]:,"/]+|\//g

function* tokensOf(text: string): Generator<Token> {
  for (const found of text.matchAll(TOKEN)) {
    if (!/^\/[/*]/.test(found[0])) yield { text: found[0], from: found.index }
  }
}

function pathOf(frames: readonly Frame[]): Path {
  return frames.flatMap(({ key }) => (key === undefined ? [] : [key]))
}

/** Reads tokens one after the other; `entry` hears of each key and each value of a list. */
function advance(frames: Frame[], { text, from }: Token, entry: (entry: Entry) => void): void {
  const top = frames.at(-1)
  if (text === '}' || text === ']') {
    frames.pop()
    const below = frames.at(-1)
    if (below !== undefined) below.expects = 'comma'
    return
  }
  if (text === ',') {
    if (top === undefined) return
    top.expects = top.list ? 'value' : 'key'
    top.key = top.list ? Number(top.key ?? 0) + 1 : undefined
    return
  }
  if (text === ':') return
  if (top?.expects === 'key') {
    top.key = stringIn(text)
    top.expects = 'value'
    entry({ path: pathOf(frames), from, to: from + text.length })
    return
  }
  if (top?.list === true) entry({ path: pathOf(frames), from, to: from + text.length })
  if (text === '{') frames.push({ list: false, key: undefined, expects: 'key' })
  else if (text === '[') frames.push({ list: true, key: 0, expects: 'value' })
  else if (top !== undefined) top.expects = 'comma'
}

export function entriesOf(text: string): Entry[] {
  const frames: Frame[] = []
  const entries: Entry[] = []
  for (const token of tokensOf(text)) advance(frames, token, (entry) => entries.push(entry))
  return entries
}

/** What is typed at `position`; undefined where nothing can be: beside a value that is complete, or outside. */
export function placeAt(text: string, position: number): Place | undefined {
  const frames: Frame[] = []
  for (const token of tokensOf(text)) {
    // a word that ends at the position is being typed
    if (token.from + token.text.length >= position && !/^[{}[\]:,]$/.test(token.text)) break
    if (token.from >= position) break
    advance(frames, token, () => {})
  }
  const top = frames.at(-1)
  if (top === undefined || top.expects === 'comma') return undefined
  return { at: top.expects, path: pathOf(frames) }
}

/** Where a sentence of the node points to: "config.json: LIMITS.TOTAL.MEMORY is ..." or "line 3, column 7". */
export function rangeOf(sentence: string, text: string): { from: number; to: number } {
  const [, line, column] = /line (\d+), column (\d+)/.exec(sentence) ?? []
  if (line !== undefined) {
    const before = text.split('\n').slice(0, Number(line) - 1)
    const from = Math.min(text.length, before.reduce((sum, each) => sum + each.length + 1, 0) + Number(column) - 1)
    return { from, to: Math.min(text.length, from + 1) }
  }
  const [, named = ''] = /^[^:]+: ([\w$+.[\]"-]+)/.exec(sentence) ?? []
  const wanted = partsOf(named)
  const entries = entriesOf(text)
  // the key itself may be missing: then its object is meant
  for (let length = wanted.length; length > 0; length--) {
    const part = wanted.slice(0, length).join('\0')
    const found = entries.find(({ path }) => path.join('\0') === part)
    if (found !== undefined) return found
  }
  return { from: 0, to: Math.min(1, text.length) }
}

function partsOf(key: string): string[] {
  return [...key.matchAll(/[^.[\]"]+/g)].map(([part]) => part)
}

function stringIn(text: string): string {
  return text.replace(/^"|"$/g, '')
}
