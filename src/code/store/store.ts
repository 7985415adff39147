import { join } from 'node:path'
import { systemDisk } from '../../base/os/disk.ts'
import { createWorkQueue } from '../../base/work-queue.ts'
import { ingestTar } from '../archive/ingest-tar.ts'
import { BYTES_PER_FILE, FILES_PER_CODE, MIN_STORE_FILES } from '../constants.ts'
import { HashMismatchError, InUseError } from '../errors.ts'
import { openImageStore } from '../images/image-store.ts'
import type { CodeStore, StoreComponents, StoreInit } from '../types.ts'
import { openCompleteStore, type StoreContext } from './complete-store.ts'
import { createDiskQuota, type Evictable } from './disk-quota.ts'
import { openPartialStore } from './partial-store.ts'
import { createPinCounts } from './pin-counts.ts'
import { openScratch } from './scratch.ts'
import { discard, type FoundCode, openLayout, withDiskErrors } from './store-layout.ts'

export async function createCodeStore(components: StoreComponents, init: StoreInit): Promise<CodeStore> {
  const { clock, events, log, disk = systemDisk() } = components
  const layout = await withDiskErrors(init.dir, openLayout(disk, init.dir))
  // what peers ask for is not used here: they would keep their code, and have others evicted
  const pins = createPinCounts((key) => {
    complete.touch(key)
    images.touch(key)
  })
  let trashed = 0
  const moveToTrash = (path: string) => discard(disk, path, layout.temp, `out-${trashed++}`)
  const max = { bytes: init.maxBytes, files: Math.max(MIN_STORE_FILES, Math.floor(init.maxBytes / BYTES_PER_FILE)) }
  const quota = createDiskQuota(max, (): Evictable[] => [
    ...complete.evictable(),
    ...partial.evictable(),
    ...images.evictable(),
  ])
  const changes = createWorkQueue({ name: 'code store', concurrency: 1, max: Number.POSITIVE_INFINITY })
  const shared: StoreContext = {
    ...{ clock, events, log, disk, layout, quota, changes, moveToTrash },
    ...{ isPinned: pins.has, pin: pins.add },
  }
  const complete = await openCompleteStore(shared)
  const partial = await openPartialStore(shared, {
    maxBytes: init.maxBytes,
    isComplete: complete.has,
    adopt: (path, found, startedAt) => complete.adopt(path, found, { from: 'mesh', startedAt }),
  })
  const images = await openImageStore(shared, init)
  const tempDir = () => withDiskErrors(init.dir, disk.mkdtemp(join(layout.temp, 'in-')))

  return {
    images,
    has: (code) => complete.has(code.toString()) || images.has(code),
    damage: (code) => complete.map.get(code.toString())?.damaged ?? images.damage(code),
    manifest: (code) => (complete.map.get(code.toString()) ?? partial.map.get(code.toString())?.found)?.manifest,
    size(code) {
      const found = complete.map.get(code.toString()) ?? partial.map.get(code.toString())?.found
      return found?.manifest.size ?? images.open(code)?.manifest.size
    },
    list: () => [
      ...[...complete.map.values()].map((found) => ({
        ...shown(found),
        complete: found.damaged === undefined,
        damaged: found.damaged,
        unpacked: found.unpacked,
        provenance: found.provenance,
      })),
      ...[...partial.map]
        .filter(([key]) => !complete.map.has(key))
        .map(([, entry]) => ({ ...shown(entry.found), complete: false, unpacked: false })),
      ...images.list(),
    ],
    provenance: (code) => complete.map.get(code.toString())?.provenance ?? images.provenance(code),
    usage: () => ({
      ...quota.used,
      maxBytes: max.bytes,
      maxFiles: max.files,
      codes: complete.map.size + images.list().length,
    }),
    filesLeft: () => quota.filesLeft,

    async addTar(tar, options = {}) {
      const temp = await tempDir()
      let taken = { bytes: 0, files: 0 }
      const take = async (bytes: number, files = 0) => {
        await quota.reserve({ bytes, files })
        taken = { bytes: taken.bytes + bytes, files: taken.files + files }
      }
      try {
        await take(0, FILES_PER_CODE)
        const added = await withDiskErrors(init.dir, ingestTar(disk, tar, temp, take, options))
        if (options.expected?.equals(added.code) === false) {
          throw new HashMismatchError(`they are the code ${added.code}, not ${options.expected}`)
        }
        if (await complete.adopt(temp, added, options)) taken = { bytes: 0, files: 0 }
        else complete.touch(added.code.toString())
        return { code: added.code, size: added.manifest.size }
      } finally {
        quota.release(taken)
        await moveToTrash(temp)
      }
    },

    scratch: (maxBytes) => openScratch({ clock, quota, tempDir, moveToTrash }, maxBytes),

    async open(code) {
      const key = code.toString()
      const found = complete.map.get(key)
      if (found === undefined) return partial.read(key)
      return (found.damaged === undefined ? undefined : await partial.read(key)) ?? complete.open(key, found)
    },
    resume: (code, options = {}) => partial.resume(code.toString(), options),
    begin: partial.begin,
    pin: (code) => pins.add(code.toString()),

    async remove(code, { why = 'removed' } = {}) {
      const key = code.toString()
      const [found, entry] = [complete.map.get(key), partial.map.get(key)]
      if (pins.has(key) || entry?.open !== undefined) throw new InUseError(`the code ${key} is in use`)
      if (found !== undefined) await complete.remove(key, found, why)
      if (entry !== undefined) await partial.remove(key, entry)
      await images.remove(code, why)
    },

    async *verify(options = {}) {
      yield* complete.verify(options)
      yield* images.verify(options)
    },
    tempDir,
    paths: complete.paths,
    checkUnpacking: complete.checkUnpacking,
    keepUnpacked: complete.keepUnpacked,
    dropUnpacked: complete.dropUnpacked,
    [Symbol.asyncDispose]: partial.dispose,
  }

  function shown({ code, manifest, usedAt }: FoundCode) {
    return { code, kind: 'archive' as const, size: manifest.size, usedAt, pinned: pins.has(code.toString()) }
  }
}
