import { InputError } from '../../base/errors.ts'
import { MAX_IGNORE_BYTES } from '../constants.ts'
import { IGNORE_FILE, type Ignore, readRules, TOO_LONG } from './pack-rules.ts'

export { IGNORE_FILE, type Ignore }

/** The text of an ignore file that somebody else wrote: no more of it is read than one may have. */
export async function readIgnoreText(pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<string> {
  const read: Uint8Array[] = []
  let bytes = 0
  for await (const piece of pieces) {
    bytes += piece.byteLength
    if (bytes > MAX_IGNORE_BYTES) throw new InputError(TOO_LONG)
    read.push(piece)
  }
  return Buffer.concat(read).toString()
}

/** Reads the rules of a `.thundercloudignore`. Throws an InputError where they are wrong. */
export function parseIgnore(text: string): Ignore {
  const rules = readRules(text)
  if ('problem' in rules) throw new InputError(rules.problem)
  return rules.ignores
}
