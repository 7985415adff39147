import { mkdtemp, rename, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { codeId, decodeManifest } from '../../protocols/archive.ts'
import type { CID } from '../../protocols/encoding.ts'
import { codeOf, InputError, messageOf, NotFoundError } from '../base/errors.ts'
import { formatBytes } from '../base/text.ts'
import { receiveTar } from './add-tar.ts'
import type { CodeStore, PartialCode, StoreComponents, StoreInit } from './contract.ts'
import {
  discard,
  exists,
  FILES,
  type FoundCode,
  findCodes,
  MANIFEST,
  onDisk,
  openLayout,
  TAR,
  writeWhole,
} from './disk.ts'
import { BadArchiveError, InUseError, TooLargeError, WrongBytesError } from './errors.ts'
import type { CodeEvents, CodeOrigin } from './events.ts'
import { openPartial } from './partial.ts'
import { createQuota, type Evictable } from './quota.ts'
import { openReader } from './reader.ts'

type Whole = FoundCode & { usedAt: number; unpacked: boolean; readonly verified: Set<number> }
type Part = { readonly found: FoundCode; open?: PartialCode | 'opening' | undefined }

/** A use is written to the disk at most this often: eviction needs days, not milliseconds. */
const TOUCH_MS = 60_000

export async function createCodeStore(components: StoreComponents, init: StoreInit): Promise<CodeStore> {
  const { clock, events, log } = components
  const layout = await onDisk(init.dir, openLayout(init.dir))
  const wholes = new Map<string, Whole>()
  const parts = new Map<string, Part>()
  const pins = new Map<string, number>()
  let graves = 0

  const bytesOf = (whole: Whole) => whole.manifest.size * (whole.unpacked ? 2 : 1)
  const isFree = (key: string) => !pins.has(key)
  const quota = createQuota(init.maxBytes, (): Evictable[] => [
    ...[...wholes]
      .filter(([key]) => isFree(key))
      .map(([key, whole]) => ({
        bytes: bytesOf(whole),
        usedAt: whole.usedAt,
        evict: () => removeWhole(key, whole, 'evicted'),
      })),
    ...[...parts]
      .filter(([key, part]) => isFree(key) && part.open === undefined)
      .map(([key, part]) => ({
        bytes: part.found.manifest.size,
        usedAt: part.found.usedAt,
        evict: () => removePart(key, part),
      })),
  ])
  const bury = (path: string) => discard(path, layout.temp, `out-${graves++}`)

  async function removeWhole(key: string, whole: Whole, why: CodeEvents['code:removed']['why']): Promise<void> {
    wholes.delete(key)
    quota.give(bytesOf(whole))
    await bury(join(layout.codes, key))
    events.emit('code:removed', { code: key, why })
  }

  async function removePart(key: string, part: Part): Promise<void> {
    parts.delete(key)
    quota.give(part.found.manifest.size)
    await bury(join(layout.partial, key))
  }

  function touch(key: string, whole: Whole): void {
    const now = clock.now()
    if (now - whole.usedAt < TOUCH_MS) return
    whole.usedAt = now
    utimes(join(layout.codes, key, MANIFEST), now / 1000, now / 1000).catch((error) =>
      log.debug('the last use of a code was not noted', { code: key, error: messageOf(error) }),
    )
  }

  /** Moves a finished folder, whose room is taken, to its place. False where somebody else was quicker. */
  async function adopt(path: string, found: FoundCode, from: CodeOrigin): Promise<boolean> {
    const key = found.code.toString()
    const now = clock.now()
    await utimes(join(path, MANIFEST), now / 1000, now / 1000)
    try {
      await onDisk(init.dir, rename(path, join(layout.codes, key)))
    } catch (error) {
      if (codeOf(error) !== 'ENOTEMPTY' && codeOf(error) !== 'EEXIST') throw error
      await bury(path)
    }
    if (wholes.has(key)) return false
    const verified = new Set(found.manifest.chunks.keys())
    wholes.set(key, { ...found, usedAt: now, unpacked: false, verified })
    events.emit('code:added', { code: key, size: found.manifest.size, from })
    return true
  }

  async function openPart(
    key: string,
    part: Part,
    options: { signal?: AbortSignal | undefined },
  ): Promise<PartialCode> {
    if (part.open !== undefined) throw new InUseError('the code is being fetched already')
    part.open = 'opening'
    const folder = join(layout.partial, key)
    const leave = () => {
      part.open = undefined
    }
    try {
      part.open = await openPartial(
        folder,
        part.found,
        { leave, discard: () => removePart(key, part), commit },
        options,
      )
      return part.open
    } catch (error) {
      leave()
      throw error
    }
    async function commit() {
      const isNew = await adopt(folder, part.found, 'mesh')
      parts.delete(key)
      if (!isNew) quota.give(part.found.manifest.size)
    }
  }

  function wholeOf(code: CID): Whole {
    const whole = wholes.get(code.toString())
    if (whole === undefined) throw new NotFoundError(`the code ${code} is not in the store`)
    return whole
  }

  for (const found of await findCodes(layout.codes, 'whole')) {
    const whole = { ...found, verified: new Set<number>() }
    wholes.set(found.code.toString(), whole)
    quota.keep(bytesOf(whole))
  }
  for (const found of await findCodes(layout.partial, 'partial')) {
    if (wholes.has(found.code.toString())) {
      await bury(join(layout.partial, found.code.toString()))
    } else {
      parts.set(found.code.toString(), { found })
      quota.keep(found.manifest.size)
    }
  }

  const store: CodeStore = {
    has: (code) => wholes.has(code.toString()),
    manifest: (code) => (wholes.get(code.toString()) ?? parts.get(code.toString())?.found)?.manifest,
    list: () => [
      ...[...wholes].map(([key, { code, manifest, unpacked, usedAt }]) => ({
        code,
        size: manifest.size,
        complete: true,
        pinned: pins.has(key),
        unpacked,
        usedAt,
      })),
      ...[...parts].map(
        ([
          key,
          {
            found: { code, manifest, usedAt },
          },
        ]) => ({
          code,
          size: manifest.size,
          complete: false,
          pinned: pins.has(key),
          unpacked: false,
          usedAt,
        }),
      ),
    ],
    usage: () => ({ bytes: quota.used, maxBytes: init.maxBytes, codes: wholes.size }),

    async addTar(tar, options = {}) {
      const temp = await store.tempDir()
      let taken = 0
      try {
        const take = async (bytes: number) => {
          await quota.take(bytes)
          taken += bytes
        }
        const added = await onDisk(init.dir, receiveTar(tar, temp, take, options))
        if (wholes.has(added.code.toString())) {
          touch(added.code.toString(), wholeOf(added.code))
        } else {
          const isNew = await adopt(temp, { ...added, usedAt: clock.now(), unpacked: false }, options.from ?? 'local')
          if (isNew) taken = 0
        }
        return { code: added.code, size: added.manifest.size }
      } finally {
        quota.give(taken)
        await bury(temp)
      }
    },

    async open(code) {
      const key = code.toString()
      const whole = wholes.get(key)
      if (whole !== undefined) {
        touch(key, whole)
        const lost = async () => {
          log.error('the disk has lost bytes of a code', { code: key })
          // unpacked files that somebody runs are not pulled away; they were checked when they were handed out
          if (wholes.get(key) === whole && isFree(key)) await removeWhole(key, whole, 'damaged')
        }
        return openReader(join(layout.codes, key, TAR), whole, whole.verified, lost)
      }
      const part = parts.get(key)
      if (part?.open === undefined || part.open === 'opening') return undefined
      return openReader(part.open.path, part.found, part.open, async () => {})
    },

    async resume(code, options = {}) {
      const part = parts.get(code.toString())
      return part === undefined ? undefined : openPart(code.toString(), part, options)
    },

    async begin(code, encoded) {
      const key = code.toString()
      if (!codeId(encoded).equals(code))
        throw new WrongBytesError('the manifest is not the one that the code is named after')
      if (wholes.has(key) || parts.has(key)) throw new InUseError('the code is in the store already')
      const manifest = readManifest(encoded)
      if (manifest.size > init.maxBytes) {
        throw new TooLargeError(
          `the code has ${formatBytes(manifest.size)}; the code store may use ${formatBytes(init.maxBytes)} in all`,
        )
      }
      const part: Part = { found: { code, manifest, encoded, usedAt: clock.now(), unpacked: false } }
      await quota.take(manifest.size)
      parts.set(key, part)
      try {
        const temp = await store.tempDir()
        await onDisk(init.dir, writeWhole(join(temp, MANIFEST), encoded))
        await onDisk(init.dir, rename(temp, join(layout.partial, key)))
        return await openPart(key, part, {})
      } catch (error) {
        await removePart(key, part)
        throw error
      }
    },

    pin(code) {
      const key = code.toString()
      pins.set(key, (pins.get(key) ?? 0) + 1)
      let held = true
      return {
        [Symbol.dispose]() {
          if (!held) return
          held = false
          const left = (pins.get(key) as number) - 1
          if (left > 0) pins.set(key, left)
          else pins.delete(key)
        },
      }
    },

    async remove(code, { why = 'removed' } = {}) {
      const key = code.toString()
      const [whole, part] = [wholes.get(key), parts.get(key)]
      if (pins.has(key) || part?.open !== undefined) throw new InUseError(`the code ${key} is in use`)
      if (whole !== undefined) await removeWhole(key, whole, why)
      if (part !== undefined) await removePart(key, part)
    },

    tempDir: () => onDisk(init.dir, mkdtemp(join(layout.temp, 'in-'))),

    paths(code) {
      const { unpacked } = wholeOf(code)
      const folder = join(layout.codes, code.toString())
      return { tar: join(folder, TAR), files: join(folder, FILES), unpacked }
    },
    async keepUnpacked(code, dir) {
      const whole = wholeOf(code)
      if (whole.unpacked) throw new InputError(`the code ${code} is unpacked already`)
      await quota.take(whole.manifest.size)
      whole.unpacked = true
      touch(code.toString(), whole)
      try {
        await onDisk(init.dir, rename(dir, store.paths(code).files))
      } catch (error) {
        whole.unpacked = await exists(store.paths(code).files)
        if (!whole.unpacked) quota.give(whole.manifest.size)
        throw error
      }
    },
    async dropUnpacked(code) {
      const whole = wholeOf(code)
      if (!whole.unpacked) return
      await bury(store.paths(code).files)
      whole.unpacked = false
      quota.give(whole.manifest.size)
    },

    async [Symbol.asyncDispose]() {
      for (const { open } of parts.values())
        if (open !== undefined && open !== 'opening') await open[Symbol.asyncDispose]()
    },
  }
  return store
}

/** A manifest with the right hash that is no manifest: the code was never any good, and no peer is to blame. */
function readManifest(encoded: Uint8Array) {
  try {
    return decodeManifest(encoded)
  } catch (cause) {
    throw new BadArchiveError(`the manifest of the code is malformed: ${messageOf(cause)}`, { cause })
  }
}
