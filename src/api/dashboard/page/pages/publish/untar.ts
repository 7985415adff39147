import type { PackFile } from './tar.ts'

const BLOCK = 512
/** The text of a long path, at most; the node takes 1024 bytes of path. */
const MAX_PAX_BYTES = 64 * 1024
const decoder = new TextDecoder('utf-8', { fatal: true })

/** The regular files of a tar, also a compressed one. Their content stays where it is: a Blob is a part of the file. */
export async function unpackTar(archive: Blob): Promise<PackFile[]> {
  const start = new Uint8Array(await archive.slice(0, 2).arrayBuffer())
  const tar = start[0] === 0x1f && start[1] === 0x8b ? await gunzip(archive) : archive
  const files: PackFile[] = []
  let longPath: string | undefined
  for (let at = 0; at + BLOCK <= tar.size; ) {
    const head = new Uint8Array(await tar.slice(at, at + BLOCK).arrayBuffer())
    if (head.every((byte) => byte === 0)) break
    if (text(head, 257, 5) !== 'ustar') throw new Error('This is no tar archive: a header of it is not "ustar".')
    const size = Number.parseInt(text(head, 124, 12).trim() || '0', 8)
    if (!Number.isSafeInteger(size)) throw new Error('A file of the archive has a size that cannot be read.')
    const body = tar.slice(at + BLOCK, at + BLOCK + size)
    if (body.size < size) throw new Error('The archive ends in the middle of a file.')
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK
    const type = text(head, 156, 1)
    if (type === 'x' || type === 'L') {
      if (size > MAX_PAX_BYTES) throw new Error('A path of the archive is too long.')
      const value = decoder.decode(await body.arrayBuffer())
      longPath = type === 'L' ? value.replace(/\0+$/, '') : (/(?:^|\n)\d+ path=([^\n]*)\n/.exec(value)?.[1] ?? longPath)
      continue
    }
    const prefix = text(head, 345, 155)
    const path = longPath ?? (prefix === '' ? '' : `${prefix}/`) + text(head, 0, 100)
    longPath = undefined
    if (type === '0' || type === '') files.push({ path: path.replace(/^(?:\.\/)+/, ''), data: body })
    else if (type === '1' || type === '2')
      throw new Error(`The archive holds a link, "${path}"; publish it with the command line.`)
  }
  return files
}

async function gunzip(archive: Blob): Promise<Blob> {
  try {
    return await new Response(archive.stream().pipeThrough(new DecompressionStream('gzip'))).blob()
  } catch {
    throw new Error('The archive is compressed, and damaged.')
  }
}

function text(bytes: Uint8Array, from: number, length: number): string {
  const field = bytes.subarray(from, from + length)
  const end = field.indexOf(0)
  return decoder.decode(end < 0 ? field : field.subarray(0, end))
}
