import { createHash } from 'node:crypto'
import { deflateSync } from 'node:zlib'

const TYPES = { commit: 1, tree: 2, blob: 3, offset: 6, reference: 7 }

/** One object of a pack; what is not said is what git writes. `base`: how far back, or an id. */
export type PackObject = {
  type: keyof typeof TYPES
  content: Buffer | string
  base?: number | string
  /** instead of the content's */
  size?: number
}

export const idOf = (type: string, content: Buffer | string) =>
  createHash('sha1')
    .update(`${type} ${Buffer.byteLength(content)}\0`)
    .update(content)
    .digest('hex')

export const treeOf = (...entries: { mode: string; name: Buffer | string; id: string }[]) =>
  Buffer.concat(
    entries.flatMap(({ mode, name, id }) => [
      Buffer.from(`${mode} `),
      Buffer.from(name as string),
      Buffer.of(0),
      Buffer.from(id, 'hex'),
    ]),
  )

/** A commit with these files, as objects, and its id. */
export function commitOf(...files: { name: string; content: string; mode?: string }[]) {
  const blobs = files.map(({ content }): PackObject => ({ type: 'blob', content }))
  const tree = treeOf(...files.map(({ name, content, mode = '100644' }) => ({ mode, name, id: idOf('blob', content) })))
  const commit = `tree ${idOf('tree', tree)}\nauthor a <a@b.c> 0 +0000\ncommitter a <a@b.c> 0 +0000\n\nx\n`
  const objects: PackObject[] = [{ type: 'commit', content: commit }, { type: 'tree', content: tree }, ...blobs]
  return { id: idOf('commit', commit), objects }
}

const varint = (value: number) => {
  const bytes: number[] = []
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest])
    bytes.push((rest % 128) | 128)
  }
}

/** From a base of this length to a result of that one, by these commands. */
export const deltaOf = (from: number, to: number, ...commands: number[]) =>
  Buffer.concat([varint(from), varint(to), Buffer.from(commands)])

/** A pack as anybody could write it. */
export function packOf(objects: readonly PackObject[], { count = objects.length, after = '' } = {}): Buffer {
  const header = Buffer.from('PACK\0\0\0\x02\0\0\0\0', 'latin1')
  header.writeUInt32BE(count, 8)
  const parts = objects.map(({ type, content, base, size = Buffer.byteLength(content) }) => {
    const more = Math.floor(size / 16)
    const first = Buffer.of((TYPES[type] << 4) | (size % 16) | (more > 0 ? 128 : 0))
    const at =
      typeof base === 'string' ? Buffer.from(base, 'hex') : base === undefined ? Buffer.alloc(0) : Buffer.of(base)
    return Buffer.concat([first, more > 0 ? varint(more) : Buffer.alloc(0), at, deflateSync(content)])
  })
  const body = Buffer.concat([header, ...parts, Buffer.from(after)])
  return Buffer.concat([body, createHash('sha1').update(body).digest()])
}
