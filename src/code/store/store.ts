import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import { createWorkQueue } from '../../base/work-queue.ts'
import { receiveTar } from '../archive/ingest-tar.ts'
import { BYTES_PER_FILE, FILES_PER_CODE, MIN_STORE_FILES } from '../constants.ts'
import { InUseError } from '../errors.ts'
import type { CodeStore, StoreComponents, StoreInit } from '../types.ts'
import { openWholes, type StoreParts } from './complete-store.ts'
import { createQuota, type Evictable } from './disk-quota.ts'
import { openParts } from './partial-store.ts'
import { createPins } from './pin-counts.ts'
import { discard, type FoundCode, onDisk, openLayout } from './store-layout.ts'

export async function createCodeStore(components: StoreComponents, init: StoreInit): Promise<CodeStore> {
  const { clock, events, log } = components
  const layout = await onDisk(init.dir, openLayout(init.dir))
  const pins = createPins()
  let graves = 0
  const bury = (path: string) => discard(path, layout.temp, `out-${graves++}`)
  const max = { bytes: init.maxBytes, files: Math.max(MIN_STORE_FILES, Math.floor(init.maxBytes / BYTES_PER_FILE)) }
  const quota = createQuota(max, (): Evictable[] => [...wholes.evictable(), ...parts.evictable()])
  const changes = createWorkQueue({ name: 'code store', concurrency: 1, max: Number.POSITIVE_INFINITY })
  const shared: StoreParts = { clock, events, log, layout, quota, changes, bury, isPinned: pins.has }
  const wholes = await openWholes(shared)
  const parts = await openParts(shared, {
    maxBytes: init.maxBytes,
    isWhole: (key) => wholes.map.has(key),
    adopt: (path, found) => wholes.adopt(path, found, 'mesh'),
  })
  const tempDir = () => onDisk(init.dir, mkdtemp(join(layout.temp, 'in-')))

  return {
    has: (code) => wholes.map.has(code.toString()),
    manifest: (code) => (wholes.map.get(code.toString()) ?? parts.map.get(code.toString())?.found)?.manifest,
    list: () => [
      ...[...wholes.map.values()].map((whole) => ({ ...shown(whole), complete: true, unpacked: whole.unpacked })),
      ...[...parts.map.values()].map((part) => ({ ...shown(part.found), complete: false, unpacked: false })),
    ],
    usage: () => ({ ...quota.used, maxBytes: max.bytes, maxFiles: max.files, codes: wholes.map.size }),
    filesLeft: () => quota.filesLeft,

    async addTar(tar, options = {}) {
      const temp = await tempDir()
      let taken = { bytes: 0, files: 0 }
      const take = async (bytes: number, files = 0) => {
        await quota.take({ bytes, files })
        taken = { bytes: taken.bytes + bytes, files: taken.files + files }
      }
      try {
        await take(0, FILES_PER_CODE)
        const added = await onDisk(init.dir, receiveTar(tar, temp, take, options))
        if (await wholes.adopt(temp, added, options.from ?? 'local')) taken = { bytes: 0, files: 0 }
        else wholes.touch(added.code.toString())
        return { code: added.code, size: added.manifest.size }
      } finally {
        quota.give(taken)
        await bury(temp)
      }
    },

    async open(code) {
      const whole = wholes.map.get(code.toString())
      return whole === undefined ? parts.read(code.toString()) : wholes.open(code.toString(), whole)
    },
    resume: (code, options = {}) => parts.resume(code.toString(), options),
    begin: parts.begin,
    pin: (code) => pins.add(code.toString()),

    async remove(code, { why = 'removed' } = {}) {
      const key = code.toString()
      const [whole, part] = [wholes.map.get(key), parts.map.get(key)]
      if (pins.has(key) || part?.open !== undefined) throw new InUseError(`the code ${key} is in use`)
      if (whole !== undefined) await wholes.remove(key, whole, why)
      if (part !== undefined) await parts.remove(key, part)
    },

    tempDir,
    paths: wholes.paths,
    checkUnpacking: wholes.checkUnpacking,
    keepUnpacked: wholes.keepUnpacked,
    dropUnpacked: wholes.dropUnpacked,
    [Symbol.asyncDispose]: parts.dispose,
  }

  function shown({ code, manifest, usedAt }: FoundCode) {
    return { code, size: manifest.size, usedAt, pinned: pins.has(code.toString()) }
  }
}
