import { RUN_RULES } from '../../protocols/receipt.ts'
import { formatBytes, howMany, joinWords, sanitizeText } from '../base/format.ts'
import type { Reason } from '../base/verdict.ts'
import type { PackedOutputs } from '../code/index.ts'
import type { ResultRecord } from './types.ts'

/** Paths that a sentence names. */
const MAX_NAMED = 4
const MAX_PATH = 60

/** What is missing and what was left out; undefined where nothing was. */
export function packedDetail({ missing, leftOut }: Pick<PackedOutputs, 'missing' | 'leftOut'>): string | undefined {
  const named = missing.slice(0, MAX_NAMED).map((path) => `"${sanitizeText(path, MAX_PATH)}"`)
  const more = missing.length > MAX_NAMED ? [`${missing.length - MAX_NAMED} more`] : []
  const { links, special, names } = leftOut
  const left = [
    ...(links > 0 ? [howMany(links, 'link', 'links')] : []),
    ...(special > 0 ? [`${howMany(special, 'entry', 'entries')} that are no files`] : []),
    ...(names > 0 ? [howMany(names, 'name that no archive holds', 'names that no archive holds')] : []),
  ]
  const parts = [
    ...(missing.length > 0 ? [`no file at ${joinWords([...named, ...more])}`] : []),
    ...(left.length > 0 ? [`left out: ${left.join(', ')}`] : []),
  ]
  return parts.length === 0 ? undefined : parts.join('; ')
}

/** For the publisher and those whom the author lets, never for everybody. */
export function outputsReason({ code, complete, detail }: ResultRecord): Reason {
  const message =
    code === undefined ? nothingText(detail) : [code, ...(detail === undefined ? [] : [detail])].join(': ')
  return { rule: RUN_RULES.outputs, outcome: complete ? 'pass' : 'fail', message }
}

/** Why there is nothing. */
export function nothingText(detail = 'are not kept'): string {
  return `the outputs ${detail}`
}

/** One line for the log of the run. */
export function keptText({ code, size, files, detail, expires }: ResultRecord): string {
  if (code === undefined) return `no results are kept: ${nothingText(detail)}`
  const until = new Date(expires).toISOString()
  const what = `results: ${howMany(files, 'file', 'files')}, ${formatBytes(size)}, kept until ${until}`
  return detail === undefined ? what : `${what}; ${detail}`
}
