import { link, mkdir, open, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Parser, type ReadEntry } from 'tar'
import { overDiskText } from '../../build-limit.ts'
import { inodesFor } from '../../constants.ts'
import { RunRefusedError } from '../../errors.ts'

/** What one entry costs at least, so that a build of empty files ends, too. */
const ENTRY_BYTES = 512

/**
 * Unpacks the untrusted output of a build into a new folder. Links are made last, when nothing is
 * written any more: none can lead a file out of the folder.
 */
export async function unpackBuilt(
  archive: AsyncIterable<Uint8Array | string>,
  dir: string,
  maxBytes: number,
): Promise<void> {
  let bytes = 0
  let files = 0
  let failed = false
  const links: { path: string; to: string; hard: boolean }[] = []
  await mkdir(dir, { recursive: true, mode: 0o755 })

  async function unpack(entry: ReadEntry): Promise<void> {
    const path = join(dir, ...partsOf(entry.path))
    bytes += entry.size
    const linked = entry.type === 'SymbolicLink' || entry.type === 'Link'
    if (entry.type !== 'File' || entry.size === 0) bytes += ENTRY_BYTES
    files += 1
    // a file of holes may be said to be larger than any disk
    if (bytes > maxBytes || files > inodesFor(maxBytes)) throw new RunRefusedError(overDiskText(maxBytes))
    if (linked) links.push({ path, to: entry.linkpath ?? '', hard: entry.type === 'Link' })
    else if (entry.type === 'Directory') await mkdir(path, { recursive: true, mode: 0o755 })
    else if (entry.type === 'File' || entry.type === 'OldFile') return write(entry, path)
    entry.resume()
  }

  const parser = new Parser({ strict: true })
  let work: Promise<void> = Promise.resolve()
  const done = new Promise<void>((resolve, reject) => {
    parser.on('entry', (entry) => {
      work = work.then(() => unpack(entry))
      work.catch((error) => {
        failed = true
        reject(error)
        entry.resume()
      })
    })
    parser.on('end', resolve).on('error', reject)
  })
  done.catch(() => {})
  for await (const part of archive) {
    const wants = parser.write(typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))
    if (!wants) await Promise.race([new Promise((resolve) => parser.once('drain', resolve)), done])
    if (failed) break
  }
  parser.end()
  await done
  await work
  // All folders before any link: what is a folder cannot become a link any more.
  for (const { path } of links) await mkdir(dirname(path), { recursive: true, mode: 0o755 })
  for (const { path, to, hard } of links) if (hard) await link(join(dir, ...partsOf(to)), path)
  for (const { path, to, hard } of links) if (!hard) await symlink(to, path)
}

async function write(entry: ReadEntry, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o755 })
  await using file = await open(path, 'wx', ((entry.mode ?? 0) & 0o111) === 0 ? 0o644 : 0o755)
  for await (const part of entry) await file.writeFile(part as Uint8Array)
}

/** A path within the folder; throws where it leads out. */
function partsOf(path: string): string[] {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.')
  if (path.startsWith('/') || path.includes('\0') || parts.includes('..')) {
    throw new RunRefusedError('the engine sent an archive whose paths lead out of it')
  }
  return parts
}
