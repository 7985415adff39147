import { join } from 'node:path'
import type { Clock } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import { type Disk, systemDisk } from '../../base/os/disk.ts'
import type { Rng } from '../../base/rng.ts'
import { codeOf, outputOf, removeOutput, removePin, scanOutputs, writeOutput, writePin } from './output-files.ts'
import { sealTree, summarizeTree, type TreeSummary } from './output-tree.ts'

type OutputStoreComponents = {
  readonly clock: Clock
  readonly rng: Rng
  readonly log: Log
  /** default: that of this machine */
  readonly disk?: Disk | undefined
}

/** Each costs memory and a look at each start, however small it is. */
const MAX_OUTPUTS = 4096

type OutputStoreInit = {
  /** Belongs to this store alone: what else is in there is removed. */
  readonly dir: string
  /** What outputs may take on the disk, beside those that runs use. */
  readonly maxBytes: number
  readonly isUnfinished: (runId: string) => boolean
}

/** What a build made. */
export type Output = { readonly id: string; readonly key: string; readonly dir: string }

type Entry = Output & TreeSummary & { usedAt: number; checked: boolean; checking: boolean; readonly pins: Set<string> }

/** A folder that becomes an output by `keep`; it goes when it is disposed of before. */
export interface Draft extends AsyncDisposable {
  /** where the build writes */
  readonly dir: string
  /** Nothing of the build runs any more. */
  keep(options: { signal: AbortSignal }): Promise<Output>
}

/** The outputs of builds on this disk, by their keys. */
export interface OutputStore {
  /** Its content was checked since this process began; where it is not what it was, there is none. */
  find(key: string, options: { signal: AbortSignal }): Promise<Output | undefined>
  draft(key: string): Promise<Draft>
  /** Does this run use it already? */
  isPinned(output: Output, runId: string): boolean
  /** The run uses it, and no other of this store, until `unpin`; also after a restart. False where it has just gone. */
  pin(output: Output, runId: string): Promise<boolean>
  unpin(runId: string): Promise<void>
  /** Removes what was used longest ago, until the rest is no more than it may be. What runs use stays. */
  evict(): Promise<void>
  usage(): { readonly bytes: number; readonly outputs: number }
}

export async function openOutputStore(
  { clock, rng, log, disk = systemDisk() }: OutputStoreComponents,
  { dir, maxBytes, isUnfinished }: OutputStoreInit,
): Promise<OutputStore> {
  const entries = new Map<string, Entry>()
  const byKey = new Map<string, Entry>()
  const folderOf = ({ id }: Output) => join(dir, id)
  const used = () => entries.values().reduce((sum, { bytes }) => sum + bytes, 0)

  const scanned = await scanOutputs(disk, dir, isUnfinished)
  for (const found of scanned.sort((a, b) => a.usedAt - b.usedAt)) {
    add({ ...found, dir: codeOf(join(dir, found.id)), checked: false, checking: false, pins: new Set(found.pins) })
  }

  /** The last of one key is given to others; an earlier one was damaged, and stays while a run uses it. */
  function add(entry: Entry): void {
    entries.set(entry.id, entry)
    byKey.set(entry.key, entry)
  }

  async function remove(entry: Entry): Promise<void> {
    entries.delete(entry.id)
    if (byKey.get(entry.key) === entry) byKey.delete(entry.key)
    // what is left of it when that fails goes at the next start
    await removeOutput(disk, folderOf(entry)).catch((error) =>
      log.warn('the output of a build could not be removed', { id: entry.id, reason: messageOf(error) }),
    )
  }

  async function isIntact(entry: Entry, signal: AbortSignal): Promise<boolean> {
    entry.checking = true
    try {
      return (await summarizeTree(entry.dir, { signal })).digest === entry.digest
    } catch (error) {
      signal.throwIfAborted()
      log.debug('an output of a build cannot be read', { id: entry.id, reason: messageOf(error) })
      return false
    } finally {
      entry.checking = false
    }
  }

  async function touch(entry: Entry): Promise<void> {
    entry.usedAt = clock.now()
    await disk
      .utimes(outputOf(folderOf(entry)), entry.usedAt / 1000, entry.usedAt / 1000)
      .catch((error) =>
        log.debug('the last use of an output was not noted', { id: entry.id, reason: messageOf(error) }),
      )
  }

  async function unpinExcept(runId: string, kept: Entry | undefined): Promise<void> {
    for (const entry of [...entries.values()]) {
      if (entry === kept || !entry.pins.delete(runId)) continue
      await removePin(disk, folderOf(entry), runId)
      await touch(entry)
      if (entry.pins.size === 0 && byKey.get(entry.key) !== entry) await remove(entry)
    }
  }

  const store: OutputStore = {
    async find(key, { signal }) {
      const entry = byKey.get(key)
      if (entry === undefined) return undefined
      entry.checked ||= await isIntact(entry, signal)
      if (entry.checked) return entry
      log.warn('the output of a build is not what it was; it is built again', { id: entry.id })
      byKey.delete(key)
      if (entry.pins.size === 0) await remove(entry)
      return undefined
    },
    async draft(key) {
      const id = `${key.slice(0, 16)}-${rng.uuid()}`
      const folder = join(dir, id)
      await disk.mkdir(folder, { recursive: true, mode: 0o711 })
      const code = codeOf(folder)
      return {
        dir: code,
        async keep({ signal }) {
          const summary = await sealTree(code, { signal })
          await writeOutput(disk, folder, { key, ...summary })
          const known = { usedAt: clock.now(), checked: true, checking: false, pins: new Set<string>() }
          add({ id, key, dir: code, ...summary, ...known })
          return { id, key, dir: code }
        },
        async [Symbol.asyncDispose]() {
          if (!entries.has(id)) await disk.rm(folder, { recursive: true, force: true })
        },
      }
    },
    isPinned: ({ id }, runId) => entries.get(id)?.pins.has(runId) === true,
    async pin({ id }, runId) {
      const entry = entries.get(id)
      if (entry === undefined) return false
      const held = entry.pins.has(runId)
      entry.pins.add(runId)
      await touch(entry)
      try {
        if (!held) await writePin(disk, folderOf(entry), runId)
        await unpinExcept(runId, entry)
        return true
      } catch (error) {
        if (!held) entry.pins.delete(runId)
        throw error
      }
    },
    unpin: (runId) => unpinExcept(runId, undefined),
    async evict() {
      while (used() > maxBytes || entries.size > MAX_OUTPUTS) {
        const [oldest] = [...entries.values()]
          .filter(({ pins, checking }) => pins.size === 0 && !checking)
          .sort((a, b) => a.usedAt - b.usedAt)
        if (oldest === undefined) return
        log.debug('an output of a build was evicted', { id: oldest.id, bytes: oldest.bytes })
        await remove(oldest)
      }
    },
    usage: () => ({ bytes: used(), outputs: entries.size }),
  }
  await store.evict()
  return store
}
