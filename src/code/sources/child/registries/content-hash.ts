import { createHash } from 'node:crypto'
import type { SourceEntry } from '../../../archive/pack-list.ts'
import { UnusableSourceError } from '../errors.ts'

/** `h1:`: the sha256 of a list of all files, in the order of their names, each with the sha256 of its content. */
export async function contentHash(entries: readonly SourceEntry[]): Promise<string> {
  const list = createHash('sha256')
  for (const entry of entries.toSorted((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)))) {
    if (!('open' in entry) || entry.path.includes('\n')) {
      throw new UnusableSourceError(`${JSON.stringify(entry.path)} is no file that a zip of a module can have`)
    }
    const content = createHash('sha256')
    for await (const piece of entry.open({})) content.update(piece)
    list.update(`${content.digest('hex')}  ${entry.path}\n`)
  }
  return `h1:${list.digest('base64')}`
}
