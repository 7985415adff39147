import type { CID } from '../../../protocols/encoding.ts'
import type { ArchiveManifest } from '../../../protocols/streams/archive.ts'
import type { Clock } from '../../base/clock.ts'
import { errnoOf, messageOf } from '../../base/errors.ts'
import type { Emitter } from '../../base/events.ts'
import { formatCount } from '../../base/format.ts'
import type { Log } from '../../base/log.ts'
import { LruMap } from '../../base/lru-map.ts'
import { type Disk, systemDisk } from '../../base/os/disk.ts'
import { createSingleFlight } from '../../base/single-flight.ts'
import type { TarLimits } from '../archive/tar-read.ts'
import { FILES_PER_CODE, MAX_KNOWN_UNPACKED } from '../constants.ts'
import { BadArchiveError, HashMismatchError, StoreFullError, TooLargeError } from '../errors.ts'
import type { CodeEvents } from '../events.ts'
import type { AbortOptions, CodeStore } from '../types.ts'
import { confinedUnpacker, type Unpacker } from './unpack.ts'

type UnpackCacheComponents = {
  readonly clock: Clock
  readonly log: Log
  readonly events: Emitter<CodeEvents>
  readonly store: CodeStore
  readonly disk?: Disk | undefined
  readonly unpacker?: Unpacker | undefined
}

/** Unpacked code, once per code however many want it. */
export function createUnpackCache(components: UnpackCacheComponents) {
  const { clock, events, log, store, disk = systemDisk(), unpacker = confinedUnpacker() } = components
  /** Files and folders of each code that was unpacked or checked since this process began. */
  const known = new LruMap<string, number>(MAX_KNOWN_UNPACKED)
  const flights = createSingleFlight<{ dir: string; entries: number }>()

  async function unpack(code: CID, limits: TarLimits, signal: AbortSignal): Promise<{ dir: string; entries: number }> {
    const key = code.toString()
    const paths = store.paths(code)
    const archive = { manifest: store.manifest(code) as ArchiveManifest, tar: paths.tar }
    if (paths.unpacked) {
      const entries = known.get(key) ?? (await unpacker.check(archive, paths.files, { clock, limits, signal }))?.entries
      if (entries !== undefined) {
        known.set(key, entries)
        return { dir: paths.files, entries }
      }
      log.warn('unpacked code was not what its archive says; it is unpacked again', { code: key })
      await store.dropUnpacked(code)
    }
    store.checkUnpacking(code)
    const startedAt = clock.monotonic()
    const temp = await store.tempDir()
    try {
      const filesLeft = store.filesLeft() - 1
      const within = { ...limits, maxEntries: Math.min(limits.maxEntries, filesLeft) }
      const { files, entries, bytes } = await unpacker
        .unpack(archive, temp, { clock, limits: within, signal })
        .catch((error) => {
          if (!(error instanceof TooLargeError) || filesLeft >= limits.maxEntries) throw error
          throw new StoreFullError(
            `the code store can hold ${formatCount(Math.max(0, filesLeft))} more files and folders, and the code has more than that`,
            { never: filesLeft >= store.usage().maxFiles - FILES_PER_CODE - 1 },
          )
        })
      await store.keepUnpacked(code, temp, entries)
      known.set(key, entries)
      events.emit('code:unpacked', { code: key, files, bytes, ms: clock.monotonic() - startedAt })
      return { dir: paths.files, entries }
    } finally {
      await disk.rm(temp, { recursive: true, force: true })
    }
  }

  return {
    /** The folder with the code's files. The caller holds a pin. A code that proves to be worthless leaves the store. */
    async unpacked(code: CID, limits: TarLimits, pin: Disposable, options: AbortOptions): Promise<string> {
      try {
        const work = (signal: AbortSignal) => unpack(code, limits, signal)
        const isTheirs = (error: unknown) => error instanceof TooLargeError
        const { dir, entries } = await flights.run(code.toString(), work, { signal: options.signal, isTheirs })
        if (entries <= limits.maxEntries) return dir
        throw new TooLargeError(`the code has ${entries} files and folders; at most ${limits.maxEntries} are allowed`)
      } catch (error) {
        const why = error instanceof HashMismatchError ? 'damaged' : 'removed'
        const isGone = errnoOf(error) === 'ENOENT'
        if (error instanceof BadArchiveError || error instanceof HashMismatchError || isGone) {
          pin[Symbol.dispose]()
          await store.remove(code, { why }).catch(async (cause) => {
            log.debug('a worthless code stays', { cause: messageOf(cause) })
            // others use it: what the disk has lost of it is noted, and it counts as not here
            if (why === 'damaged' || isGone) await Array.fromAsync(store.verify({ only: new Set([code.toString()]) }))
          })
        }
        throw error
      }
    },
    [Symbol.asyncDispose]: () => flights[Symbol.asyncDispose](),
  }
}
