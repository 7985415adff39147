import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { availableParallelism, cpus, release, totalmem } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { exists } from '../../config/index.ts'
import type { Results } from './results.ts'

/** What a rerun needs to be the same: the program, its libraries, and the machine. null where it is not known. */
export async function environmentOf(version: string): Promise<Results['environment']> {
  const root = await packageRoot(dirname(fileURLToPath(import.meta.url)))
  return {
    version,
    commit: await commitOf(root),
    lockSha256: await sha256Of(join(root, 'package-lock.json')),
    node: process.versions.node,
    v8: process.versions.v8,
    platform: process.platform,
    arch: process.arch,
    cpu: cpus()[0]?.model ?? null,
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    osRelease: release(),
  }
}

async function sha256Of(path: string): Promise<string | null> {
  const bytes = await readFile(path).catch(() => undefined)
  return bytes === undefined ? null : createHash('sha256').update(bytes).digest('hex')
}

/** Of a checkout; a package has none. Reading the files needs no git. */
async function commitOf(root: string): Promise<string | null> {
  const text = async (path: string) => (await readFile(path, 'utf8').catch(() => '')).trim()
  const link = /^gitdir: (.+)$/.exec(await text(join(root, '.git')))?.[1]
  const dir = link === undefined ? join(root, '.git') : resolve(root, link)
  const head = await text(join(dir, 'HEAD'))
  const ref = /^ref: (refs\/[\w./-]+)$/.exec(head)?.[1]
  if (ref === undefined) return isCommit(head) ? head : null
  const common = resolve(dir, (await text(join(dir, 'commondir'))) || '.')
  const loose = await text(join(common, ref))
  if (isCommit(loose)) return loose
  const packed = (await text(join(common, 'packed-refs'))).split('\n').find((line) => line.endsWith(` ${ref}`))
  return packed?.slice(0, 40) ?? null
}

function isCommit(text: string): boolean {
  return /^[0-9a-f]{40}$/.test(text)
}

/** Of the sources and of what is built from them alike. */
async function packageRoot(folder: string): Promise<string> {
  if (dirname(folder) === folder || (await exists(join(folder, 'package-lock.json')))) return folder
  return await packageRoot(dirname(folder))
}
