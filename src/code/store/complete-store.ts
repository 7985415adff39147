import { join } from 'node:path'
import type { CID } from '../../../protocols/encoding.ts'
import type { Clock } from '../../base/clock.ts'
import { InputError, messageOf, NotFoundError } from '../../base/errors.ts'
import type { Emitter } from '../../base/events.ts'
import type { Log } from '../../base/log.ts'
import type { Disk } from '../../base/os/disk.ts'
import type { WorkQueue } from '../../base/work-queue.ts'
import { FILES_PER_CODE, TOUCH_MS } from '../constants.ts'
import { HashMismatchError } from '../errors.ts'
import type { CodeEvents } from '../events.ts'
import type { AbortOptions, Arrival, ChunkReader, CodeProvenance, VerifiedCode } from '../types.ts'
import { openChunkReader } from './chunk-reader.ts'
import type { DiskQuota, DiskUsage, Evictable } from './disk-quota.ts'
import { PROVENANCE, readProvenance, writeProvenance } from './provenance.ts'
import {
  ENTRIES,
  FILES,
  type FoundCode,
  MANIFEST,
  type StoreLayout,
  scanCodes,
  TAR,
  withDiskErrors,
  writeFileAtomic,
} from './store-layout.ts'
import { findDamage } from './verify-archive.ts'

/** What the two halves of a store have in common. */
export type StoreContext = {
  readonly clock: Clock
  readonly log: Log
  readonly events: Emitter<CodeEvents>
  readonly disk: Disk
  readonly layout: StoreLayout
  readonly quota: DiskQuota
  /** One change of folders at a time: nothing arrives at a place from which something is just being taken away. */
  readonly changes: WorkQueue
  readonly moveToTrash: (path: string) => Promise<void>
  readonly isPinned: (key: string) => boolean
  readonly pin: (key: string) => Disposable
}

export type CompleteCode = FoundCode & {
  usedAt: number
  unpacked: boolean
  entries: number
  /** what the disk has lost of it: it is in use, and counts as not here */
  damaged: string | undefined
  readonly provenance: CodeProvenance | undefined
  readonly verified: Set<number>
}

/** The codes that are here completely. */
export async function openCompleteStore(store: StoreContext) {
  const { clock, disk, events, layout, log, quota } = store
  const complete = new Map<string, CompleteCode>()
  const usageOf = ({ manifest, unpacked, entries }: CompleteCode): DiskUsage => ({
    bytes: manifest.size * (unpacked ? 2 : 1),
    files: FILES_PER_CODE + (unpacked ? 1 + entries : 0),
  })
  const filesOf = (key: string) => join(layout.codes, key, FILES)

  for (const found of await scanCodes(disk, layout.codes, 'complete')) {
    const key = found.code.toString()
    const entry = {
      ...found,
      damaged: found.damaged,
      provenance: await readProvenance(disk, join(layout.codes, key)),
      verified: new Set<number>(),
    }
    if (found.damaged !== undefined) log.error('the disk has lost bytes of a code', { code: key, why: found.damaged })
    complete.set(key, entry)
    quota.addExisting(usageOf(entry))
  }

  const has = (key: string) => {
    const found = complete.get(key)
    return found !== undefined && found.damaged === undefined
  }

  function requireCode(code: CID): CompleteCode {
    const found = complete.get(code.toString())
    if (found === undefined) throw new NotFoundError(`the code ${code} is not in the store`)
    return found
  }

  async function remove(key: string, found: CompleteCode, why: CodeEvents['code:removed']['why']): Promise<void> {
    complete.delete(key)
    quota.release(usageOf(found))
    await store.changes.add(() => store.moveToTrash(join(layout.codes, key)))
    events.emit('code:removed', { code: key, why })
  }

  /**
   * The disk lost some of it. False if it is in use: unpacked files of a run stay, they were checked when it got them, and
   * the archive is fetched again. Peers that ask for it again and again are no new damage.
   */
  async function lost(key: string, found: CompleteCode, why: string): Promise<boolean> {
    if (complete.get(key) !== found) return false
    if (found.damaged === undefined) log.error('the disk has lost bytes of a code', { code: key, why })
    if (!store.isPinned(key)) {
      await remove(key, found, 'damaged')
      return true
    }
    const isNew = found.damaged === undefined
    found.damaged = why
    if (isNew) events.emit('code:damaged', { code: key, why })
    return false
  }

  /**
   * Puts a new archive in the place of a damaged one, file by file: each is there in its old form or in its new one, also
   * after `kill -9`. The unpacked files, which runs use, stay.
   */
  async function replace(path: string, key: string, { manifest }: Pick<FoundCode, 'manifest'>): Promise<void> {
    const folder = join(layout.codes, key)
    await disk.mkdir(folder, { recursive: true, mode: 0o755 })
    for (const file of [TAR, PROVENANCE, MANIFEST]) await disk.rename(join(path, file), join(folder, file))
    // it is in its place: what is left is removed at the next start at the latest
    await store
      .moveToTrash(path)
      .catch((error) => log.debug('an empty folder stays', { code: key, error: messageOf(error) }))
    quota.release({ bytes: manifest.size, files: FILES_PER_CODE })
  }

  /** This node uses it. */
  function touch(key: string): void {
    const found = complete.get(key)
    const now = clock.now()
    if (found === undefined || now - found.usedAt < TOUCH_MS) return
    found.usedAt = now
    disk
      .utimes(join(layout.codes, key, MANIFEST), now / 1000, now / 1000)
      .catch((error) => log.debug('the last use of a code was not noted', { code: key, error: messageOf(error) }))
  }

  return {
    map: complete as ReadonlyMap<string, CompleteCode>,
    has,
    touch,
    remove,

    evictable: (): Evictable[] =>
      [...complete]
        .filter(([key]) => !store.isPinned(key))
        .map(([key, found]) => ({
          ...usageOf(found),
          usedAt: found.usedAt,
          evict: () => remove(key, found, 'evicted'),
        })),

    /** Moves a finished folder, whose space is reserved, to its place. False if the code was added concurrently. */
    async adopt(path: string, found: Omit<FoundCode, 'usedAt' | 'unpacked' | 'entries'>, arrival: Arrival) {
      const key = found.code.toString()
      const { from = 'local', source, checksum, commit, startedAt } = arrival
      // what it takes the place of is not removed meanwhile, and it with that
      using _pin = store.pin(key)
      if (complete.get(key)?.damaged !== undefined) {
        // this disk has lost it once: it is read back before it takes the place
        const damage = await findDamage(disk, path, found, {})
        if (damage !== undefined) throw new HashMismatchError(`the code was fetched again, and ${damage.why}`)
      }
      return await store.changes.add(async () => {
        if (has(key)) {
          await store.moveToTrash(path)
          return false
        }
        const now = clock.now()
        const ms = startedAt === undefined ? undefined : clock.monotonic() - startedAt
        const provenance: CodeProvenance = { from, source, checksum, commit, at: now, ms }
        await withDiskErrors(layout.codes, writeProvenance(disk, path, provenance))
        await disk.utimes(join(path, MANIFEST), now / 1000, now / 1000)
        const old = complete.get(key)
        const move = old === undefined ? disk.rename(path, join(layout.codes, key)) : replace(path, key, found)
        await withDiskErrors(layout.codes, move)
        complete.set(key, {
          ...found,
          usedAt: now,
          unpacked: old?.unpacked ?? false,
          entries: old?.entries ?? 0,
          damaged: undefined,
          provenance,
          verified: new Set(found.manifest.chunks.keys()),
        })
        events.emit('code:added', { code: key, size: found.manifest.size, from })
        return true
      })
    },

    async open(key: string, found: CompleteCode): Promise<ChunkReader> {
      return openChunkReader(disk, join(layout.codes, key, TAR), found, found.verified, async (why) => {
        await lost(key, found, why)
      })
    },

    async *verify({ only, ...options }: AbortOptions & { only?: ReadonlySet<string> }): AsyncGenerator<VerifiedCode> {
      const byLastUse = [...complete].sort(([, a], [, b]) => b.usedAt - a.usedAt)
      for (const [key, found] of byLastUse) {
        if (complete.get(key) !== found || only?.has(key) === false) continue
        const damage = await findDamage(disk, join(layout.codes, key), found, options)
        if (complete.get(key) !== found) continue
        const checked = { code: found.code, bytes: found.manifest.size }
        if (damage === undefined) {
          found.damaged = undefined
          yield { ...checked, state: 'ok' }
          continue
        }
        for (const index of damage.chunks) found.verified.delete(index)
        const removed = await lost(key, found, damage.why)
        yield { ...checked, state: removed ? 'removed' : 'damaged', why: damage.why }
      }
    },

    paths(code: CID) {
      const { unpacked } = requireCode(code)
      return { tar: join(layout.codes, code.toString(), TAR), files: filesOf(code.toString()), unpacked }
    },

    checkUnpacking(code: CID): void {
      const found = requireCode(code)
      quota.check({ bytes: found.manifest.size, files: 1 }, { beside: usageOf(found) })
    },

    async keepUnpacked(code: CID, dir: string, entries: number): Promise<void> {
      const found = requireCode(code)
      if (found.unpacked) throw new InputError(`the code ${code} is unpacked already`)
      const usage = { bytes: found.manifest.size, files: 1 + entries }
      await quota.reserve(usage, { beside: usageOf(found) })
      try {
        await withDiskErrors(
          layout.codes,
          writeFileAtomic(disk, join(layout.codes, code.toString(), ENTRIES), Buffer.from(String(entries))),
        )
        await withDiskErrors(layout.codes, disk.rename(dir, filesOf(code.toString())))
        // a damaged one may have been replaced meanwhile
        Object.assign(requireCode(code), { unpacked: true, entries })
      } catch (error) {
        quota.release(usage)
        throw error
      }
    },

    async dropUnpacked(code: CID): Promise<void> {
      if (!requireCode(code).unpacked) return
      await store.changes.add(() => store.moveToTrash(filesOf(code.toString())))
      const found = requireCode(code)
      const before = usageOf(found)
      found.unpacked = false
      const after = usageOf(found)
      quota.release({ bytes: before.bytes - after.bytes, files: before.files - after.files })
    },
  }
}
