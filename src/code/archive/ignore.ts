import ignore from 'ignore'
import { InputError } from '../../base/errors.ts'
import { MAX_GLOBSTARS, MAX_IGNORE_BYTES, MAX_RULE_GLOBSTARS } from '../constants.ts'
import { quoted } from './tar-format.ts'

/** Names what is not packed, at the root of a packed folder. */
export const IGNORE_FILE = '.thundercloudignore'

/**
 * Never packed, at any depth: the history of a project, what the node keeps beside it, what a desktop leaves, and files
 * that tell tools what to leave out, which a package index drops or rewrites.
 */
const ALWAYS = new Set([
  '.git',
  '.hg',
  '.svn',
  '.thundercloud',
  '.DS_Store',
  '.gitignore',
  '.gitattributes',
  '.gitmodules',
  '.npmignore',
  '.npmrc',
  IGNORE_FILE,
])

/** Is this file or folder left out? Nothing inside a folder that is left out is asked about. */
export type Ignore = (path: string, isFolder: boolean) => boolean

/** The text of an ignore file that somebody else wrote: no more of it is read than one may have. */
export async function readIgnoreText(pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<string> {
  const read: Uint8Array[] = []
  let bytes = 0
  for await (const piece of pieces) {
    bytes += piece.byteLength
    if (bytes > MAX_IGNORE_BYTES) throw tooLong()
    read.push(piece)
  }
  return Buffer.concat(read).toString()
}

/**
 * Reads the rules of a `.thundercloudignore`: the syntax of `.gitignore`, case-sensitive. No rule takes back a name of
 * ALWAYS. `node_modules` is packed, because a run without network cannot install it.
 */
export function parseIgnore(text: string): Ignore {
  if (Buffer.byteLength(text) > MAX_IGNORE_BYTES) throw tooLong()
  const rules = ignore({ ignorecase: false }).add(checkRules(text))
  return (path, isFolder) =>
    ALWAYS.has(path.slice(path.lastIndexOf('/') + 1)) || rules.ignores(isFolder ? `${path}/` : path)
}

/**
 * The library makes a regular expression of each rule. A `*` costs it little, each `**` before the end multiplies the
 * time by the depth of the path: two take up to a second for one path of 1,024 bytes, three take a minute.
 */
function checkRules(text: string): string[] {
  const rules = text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .map(collapseGlobstars)
  let all = 0
  for (const [index, rule] of rules.entries()) {
    if (rule.startsWith('#')) continue
    const count = rule.match(/(?<=^!?|\/)\*\*\//g)?.length ?? 0
    if (count > MAX_RULE_GLOBSTARS) {
      throw new InputError(
        `${IGNORE_FILE}, line ${index + 1}: ${quoted(rule)} has ${count} "**/"; a rule has at most ${MAX_RULE_GLOBSTARS}: leave out the folder above`,
      )
    }
    if (/.\/\*\*\//.test(rule)) all += count
  }
  if (all > MAX_GLOBSTARS) {
    throw new InputError(
      `${IGNORE_FILE} has ${all} "/**/"; it may have ${MAX_GLOBSTARS}: leave out whole folders, or use rules without "/"`,
    )
  }
  return rules
}

/** Consecutive `**` of a path mean the same as one, and so do more than two stars, as for git. */
function collapseGlobstars(rule: string): string {
  return rule.replace(/(?<=^!?|\/)(?:\*{2,}\/)+/g, '**/')
}

function tooLong(): InputError {
  return new InputError(
    `${IGNORE_FILE} has more than ${MAX_IGNORE_BYTES} bytes; leave out whole folders instead of files`,
  )
}
