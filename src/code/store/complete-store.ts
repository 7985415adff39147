import { rename, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import type { CID } from '../../../protocols/encoding.ts'
import type { Clock } from '../../base/clock.ts'
import { InputError, messageOf, NotFoundError } from '../../base/errors.ts'
import type { Emitter } from '../../base/events.ts'
import type { Log } from '../../base/log.ts'
import type { WorkQueue } from '../../base/work-queue.ts'
import { FILES_PER_CODE, TOUCH_MS } from '../constants.ts'
import type { CodeEvents, CodeOrigin } from '../events.ts'
import type { ChunkReader } from '../types.ts'
import { openReader } from './chunk-reader.ts'
import type { Evictable, Quota, Room } from './disk-quota.ts'
import {
  ENTRIES,
  FILES,
  type FoundCode,
  findCodes,
  MANIFEST,
  onDisk,
  type StoreLayout,
  TAR,
  writeWhole,
} from './store-layout.ts'

/** What the two halves of a store have in common. */
export type StoreParts = {
  readonly clock: Clock
  readonly log: Log
  readonly events: Emitter<CodeEvents>
  readonly layout: StoreLayout
  readonly quota: Quota
  /** One change of folders at a time: nothing arrives at a place from which something is just being taken away. */
  readonly changes: WorkQueue
  readonly bury: (path: string) => Promise<void>
  readonly isPinned: (key: string) => boolean
}

export type Whole = FoundCode & { usedAt: number; unpacked: boolean; entries: number; readonly verified: Set<number> }

/** The codes that are here completely. */
export async function openWholes(store: StoreParts) {
  const { clock, events, layout, log, quota } = store
  const wholes = new Map<string, Whole>()
  const roomOf = ({ manifest, unpacked, entries }: Whole): Room => ({
    bytes: manifest.size * (unpacked ? 2 : 1),
    files: FILES_PER_CODE + (unpacked ? 1 + entries : 0),
  })
  const filesOf = (key: string) => join(layout.codes, key, FILES)

  for (const found of await findCodes(layout.codes, 'whole')) {
    const whole = { ...found, verified: new Set<number>() }
    wholes.set(found.code.toString(), whole)
    quota.keep(roomOf(whole))
  }

  function wholeOf(code: CID): Whole {
    const whole = wholes.get(code.toString())
    if (whole === undefined) throw new NotFoundError(`the code ${code} is not in the store`)
    return whole
  }

  async function remove(key: string, whole: Whole, why: CodeEvents['code:removed']['why']): Promise<void> {
    wholes.delete(key)
    quota.give(roomOf(whole))
    await store.changes.add(() => store.bury(join(layout.codes, key)))
    events.emit('code:removed', { code: key, why })
  }

  function touch(key: string): void {
    const whole = wholes.get(key)
    const now = clock.now()
    if (whole === undefined || now - whole.usedAt < TOUCH_MS) return
    whole.usedAt = now
    utimes(join(layout.codes, key, MANIFEST), now / 1000, now / 1000).catch((error) =>
      log.debug('the last use of a code was not noted', { code: key, error: messageOf(error) }),
    )
  }

  return {
    map: wholes as ReadonlyMap<string, Whole>,
    touch,
    remove,

    evictable: (): Evictable[] =>
      [...wholes]
        .filter(([key]) => !store.isPinned(key))
        .map(([key, whole]) => ({
          ...roomOf(whole),
          usedAt: whole.usedAt,
          evict: () => remove(key, whole, 'evicted'),
        })),

    /** Moves a finished folder, whose room is taken, to its place. False where somebody else was quicker. */
    adopt(path: string, found: Omit<FoundCode, 'usedAt' | 'unpacked' | 'entries'>, from: CodeOrigin): Promise<boolean> {
      const key = found.code.toString()
      return store.changes.add(async () => {
        if (wholes.has(key)) {
          await store.bury(path)
          return false
        }
        const now = clock.now()
        await utimes(join(path, MANIFEST), now / 1000, now / 1000)
        await onDisk(layout.codes, rename(path, join(layout.codes, key)))
        wholes.set(key, {
          ...found,
          usedAt: now,
          unpacked: false,
          entries: 0,
          verified: new Set(found.manifest.chunks.keys()),
        })
        events.emit('code:added', { code: key, size: found.manifest.size, from })
        return true
      })
    },

    async open(key: string, whole: Whole): Promise<ChunkReader> {
      touch(key)
      return openReader(join(layout.codes, key, TAR), whole, whole.verified, async () => {
        log.error('the disk has lost bytes of a code', { code: key })
        // unpacked files that somebody runs are not pulled away; they were checked when they were handed out
        if (wholes.get(key) === whole && !store.isPinned(key)) await remove(key, whole, 'damaged')
      })
    },

    paths(code: CID) {
      const { unpacked } = wholeOf(code)
      return { tar: join(layout.codes, code.toString(), TAR), files: filesOf(code.toString()), unpacked }
    },

    checkUnpacking(code: CID): void {
      const whole = wholeOf(code)
      quota.check({ bytes: whole.manifest.size, files: 1 }, { beside: roomOf(whole) })
    },

    async keepUnpacked(code: CID, dir: string, entries: number): Promise<void> {
      const whole = wholeOf(code)
      if (whole.unpacked) throw new InputError(`the code ${code} is unpacked already`)
      const room = { bytes: whole.manifest.size, files: 1 + entries }
      await quota.take(room, { beside: roomOf(whole) })
      touch(code.toString())
      try {
        await onDisk(
          layout.codes,
          writeWhole(join(layout.codes, code.toString(), ENTRIES), Buffer.from(String(entries))),
        )
        await onDisk(layout.codes, rename(dir, filesOf(code.toString())))
        whole.unpacked = true
        whole.entries = entries
      } catch (error) {
        quota.give(room)
        throw error
      }
    },

    async dropUnpacked(code: CID): Promise<void> {
      const whole = wholeOf(code)
      if (!whole.unpacked) return
      await store.changes.add(() => store.bury(filesOf(code.toString())))
      const before = roomOf(whole)
      whole.unpacked = false
      const after = roomOf(whole)
      quota.give({ bytes: before.bytes - after.bytes, files: before.files - after.files })
    },
  }
}
