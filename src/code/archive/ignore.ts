import { InputError } from '../../base/errors.ts'
import { MAX_IGNORE_BYTES } from '../constants.ts'

/** The list of what stays at home, at the root of a packed folder. */
export const IGNORE_FILE = '.thundercloudignore'

/** Never packed, at any depth: the history of the project, what the node keeps beside it, and a desktop's leavings. */
const ALWAYS = new Set(['.git', '.hg', '.svn', '.thundercloud', '.DS_Store'])

/** Is this file or folder left out? What is inside a folder that is left out is never asked about. */
export type Ignore = (path: string, isFolder: boolean) => boolean

/**
 * Reads the rules of a `.thundercloudignore`, one a line, in the way of `.gitignore`: `#` begins a comment; `*` and `?`
 * stand for anything but `/`, `**` for any folders; a rule with a `/` at its beginning or in its middle counts from the
 * root, any other at every depth; a `/` at the end means folders only; `!` takes back what an earlier rule left out; the
 * last rule that matches decides. Without a file everything is packed but `.git`, `.hg`, `.svn`, `.thundercloud` and
 * `.DS_Store`; `node_modules` is packed too, because a run without network cannot install it.
 */
export function parseIgnore(text: string): Ignore {
  if (Buffer.byteLength(text) > MAX_IGNORE_BYTES) {
    throw new InputError(
      `${IGNORE_FILE} has more than ${MAX_IGNORE_BYTES} bytes; leave out whole folders instead of files`,
    )
  }
  const rules = text
    .split(/\r?\n/)
    .map((line) => line.replace(/(?<!\\) +$/, ''))
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map(parseRule)
  return (path, isFolder) => {
    if (ALWAYS.has(path.slice(path.lastIndexOf('/') + 1))) return true
    return rules.findLast((rule) => (isFolder || !rule.foldersOnly) && rule.matches(path))?.ignores ?? false
  }
}

function parseRule(line: string): { ignores: boolean; foldersOnly: boolean; matches: (path: string) => boolean } {
  const ignores = !line.startsWith('!')
  const spelled = ignores ? line : line.slice(1)
  const foldersOnly = spelled.endsWith('/')
  const body = foldersOnly ? spelled.slice(0, -1) : spelled
  const rooted = body.includes('/')
  const parts = body.replace(/^\//, '').split('/')
  const wanted = rooted ? parts : ['**', ...parts]
  const tests = wanted.map((part) => (part === '**' ? '**' : nameTest(part)))
  return { ignores, foldersOnly, matches: (path) => matchParts(tests, path.split('/')) }
}

type PartTest = '**' | ((name: string) => boolean)

/** `**` at the end needs something to stand for ("a/**" is what is inside of a, not a). */
function matchParts(tests: readonly PartTest[], names: readonly string[]): boolean {
  let reached = new Set([0])
  for (const [place, test] of tests.entries()) {
    const next = new Set<number>()
    for (const at of reached) {
      if (test === '**') {
        const first = place === tests.length - 1 ? at + 1 : at
        for (let to = first; to <= names.length; to++) next.add(to)
      } else if (at < names.length && test(names[at] as string)) {
        next.add(at + 1)
      }
    }
    reached = next
  }
  return reached.has(names.length)
}

/** A name with `*` and `?`, matched greedily with one step back: linear enough for any rule. A backslash takes the sign as it is. */
function nameTest(pattern: string): (name: string) => boolean {
  const signs = [...pattern.matchAll(/\\(.)|(.)/gu)].map(([whole, escaped]) =>
    escaped === undefined && (whole === '*' || whole === '?') ? { any: whole } : { is: escaped ?? whole },
  )
  return (name) => {
    const letters = [...name]
    let sign = 0
    let letter = 0
    let star = -1
    let resume = 0
    while (letter < letters.length) {
      const wanted = signs[sign]
      if (wanted?.any === '*') {
        star = sign++
        resume = letter
      } else if (wanted !== undefined && (wanted.any === '?' || wanted.is === letters[letter])) {
        sign++
        letter++
      } else if (star >= 0) {
        sign = star + 1
        letter = ++resume
      } else {
        return false
      }
    }
    return signs.slice(sign).every(({ any }) => any === '*')
  }
}
