import ignore from 'ignore'
import { sanitizeText } from '../../base/format.ts'
import { MAX_GLOBSTARS, MAX_IGNORE_BYTES, MAX_RULE_GLOBSTARS } from '../constants.ts'

/**
 * What of a folder is packed, and as what: the same in the node and in a browser that packs what was dropped there, so
 * nothing of Node.js is used here.
 */

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

/**
 * The rules of a `.thundercloudignore`: the syntax of `.gitignore`, case-sensitive. No rule takes back a name of ALWAYS.
 * `node_modules` is packed, because a run without network cannot install it. `problem`: one sentence.
 */
export function readRules(text: string): { readonly ignores: Ignore } | { readonly problem: string } {
  if (new TextEncoder().encode(text).byteLength > MAX_IGNORE_BYTES) return { problem: TOO_LONG }
  const lines = text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .map(collapseGlobstars)
  const problem = problemOf(lines)
  if (problem !== undefined) return { problem }
  const rules = ignore({ ignorecase: false }).add(lines)
  return {
    ignores: (path, isFolder) =>
      ALWAYS.has(path.slice(path.lastIndexOf('/') + 1)) || rules.ignores(isFolder ? `${path}/` : path),
  }
}

export const TOO_LONG = `${IGNORE_FILE} has more than ${MAX_IGNORE_BYTES} bytes; leave out whole folders instead of files`

/**
 * The library makes a regular expression of each rule. A `*` costs it little, each `**` before the end multiplies the
 * time by the depth of the path: two take up to a second for one path of 1,024 bytes, three take a minute.
 */
function problemOf(rules: readonly string[]): string | undefined {
  let all = 0
  for (const [index, rule] of rules.entries()) {
    if (rule.startsWith('#')) continue
    const count = rule.match(/(?<=^!?|\/)\*\*\//g)?.length ?? 0
    if (count > MAX_RULE_GLOBSTARS) {
      return `${IGNORE_FILE}, line ${index + 1}: "${sanitizeText(rule)}" has ${count} "**/"; a rule has at most ${MAX_RULE_GLOBSTARS}: leave out the folder above`
    }
    if (/.\/\*\*\//.test(rule)) all += count
  }
  if (all <= MAX_GLOBSTARS) return undefined
  return `${IGNORE_FILE} has ${all} "/**/"; it may have ${MAX_GLOBSTARS}: leave out whole folders, or use rules without "/"`
}

/** Consecutive `**` of a path mean the same as one, and so do more than two stars, as for git. */
function collapseGlobstars(rule: string): string {
  return rule.replace(/(?<=^!?|\/)(?:\*{2,}\/)+/g, '**/')
}

/** A file that begins like a script or a program of ELF is executable, whatever its mode was: a tarball or a disk may not know. */
export function isExecutable(head: Uint8Array): boolean {
  const script = head[0] === 0x23 && head[1] === 0x21
  const elf = head[0] === 0x7f && head[1] === 0x45 && head[2] === 0x4c && head[3] === 0x46
  return script || elf
}
