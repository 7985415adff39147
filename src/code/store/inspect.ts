import { lstat, readdir, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { resolveLink } from '../archive/links.ts'
import { FILES } from './store-layout.ts'

/** Entries that are looked at: a person waits. */
const MAX_ENTRIES = 200_000
/** Links that are named. */
const MAX_NAMED = 8

/** The contents of a store, as seen from outside. */
export type StoreReport = {
  /** their content ids */
  readonly codes: readonly string[]
  /** fetched in part; it is resumed */
  readonly partial: number
  /** on the way in or out; where no node runs, left by a crash */
  readonly temp: number
  readonly bytes: number
  readonly files: number
  /** symbolic links of unpacked archives */
  readonly links: number
  /** links that no archive may hold, as paths in the store; some of them */
  readonly foreign: readonly string[]
  readonly foreignCount: number
  /** false: there is more than was looked at */
  readonly complete: boolean
}

/** Looks at a store that may be in use: nothing is changed, and no link is followed. Undefined where there is none. */
export async function inspectStore(
  dir: string,
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<StoreReport | undefined> {
  if ((await namesIn(dir)) === undefined) return undefined
  let [bytes, files, links, foreignCount, looked] = [0, 0, 0, 0, 0]
  const foreign: string[] = []

  async function visit(path: string, inside: { root: string; path: string } | undefined): Promise<void> {
    if (looked >= MAX_ENTRIES) return
    looked++
    signal?.throwIfAborted()
    const info = await lstat(join(dir, path)).catch(() => undefined)
    if (info === undefined) return
    files++
    if (info.isSymbolicLink()) {
      links++
      if (inside !== undefined && (await leadsInside(inside))) return
      foreignCount++
      if (foreign.length < MAX_NAMED) foreign.push(path)
      return
    }
    if (!info.isDirectory()) {
      bytes += Math.min(info.size, info.blocks * 512)
      return
    }
    for (const name of (await namesIn(join(dir, path))) ?? []) {
      const below = join(path, name)
      const isRoot = inside === undefined && name === FILES && path.startsWith('codes/')
      if (isRoot) await visit(below, { root: below, path: '' })
      else await visit(below, inside && { ...inside, path: inside.path === '' ? name : `${inside.path}/${name}` })
    }
  }

  /** As an archive may hold it: one step, to a file or folder of the same archive. */
  async function leadsInside({ root, path }: { root: string; path: string }): Promise<boolean> {
    const target = await readlink(join(dir, root, path)).catch(() => '')
    const resolved = resolveLink({ path, target })
    if (!('to' in resolved)) return false
    const info = await lstat(join(dir, root, resolved.to)).catch(() => undefined)
    return info !== undefined && !info.isSymbolicLink()
  }

  const kinds = ['codes', 'partial', 'temp'] as const
  const [codes = [], partial = [], temp = []] = await Promise.all(
    kinds.map(async (kind) => (await namesIn(join(dir, kind))) ?? []),
  )
  for (const kind of kinds) await visit(kind, undefined)
  const counts = { partial: partial.length, temp: temp.length, bytes, files, links, foreignCount }
  return { codes, ...counts, foreign, complete: looked < MAX_ENTRIES }
}

async function namesIn(path: string): Promise<string[] | undefined> {
  return await readdir(path).catch(() => undefined)
}
