import { parseCid } from '../../protocols/encoding.ts'
import { messageOf } from '../base/errors.ts'
import { formatBytes, formatCount } from '../base/format.ts'
import { systemDisk } from '../base/os/disk.ts'
import { createWorkQueue } from '../base/work-queue.ts'
import { BadArchiveError, openPackedOutputs, type PackedOutputs, packOutputs, TooLargeError } from '../code/index.ts'
import type { OutputKeeper, TaskOutputs } from '../execution/index.ts'
import { EXPIRY_LOOK_MS, FORGET_MS, MAX_ENTRIES, MAX_PACKING, MAX_RECORDS, SHARE_OF_ONE } from './constants.ts'
import { recordsToForget, resultsToEvict } from './eviction.ts'
import { createResultFiles, scanResults } from './result-files.ts'
import { keptText, packedDetail } from './result-texts.ts'
import type { ResultRecord, Results, ResultsComponents, ResultsInit } from './types.ts'

type Packed = Omit<PackedOutputs, 'missing' | 'leftOut'> & {
  readonly complete: boolean
  readonly detail: string | undefined
}

const MADE_ROOM = 'made room for newer results, or the node keeps less of them now'

/** Opens what an earlier node has kept; what has expired meanwhile goes. */
export async function createResults(components: ResultsComponents, init: ResultsInit): Promise<Results> {
  const { clock, log, disk = systemDisk() } = components
  const { dir, limits } = init
  const records = new Map((await scanResults(disk, dir)).map((record) => [record.service, record]))
  const files = createResultFiles(disk, dir)
  /** One change at a time: nothing takes the space that another has just made. */
  const changes = createWorkQueue({ name: 'results', concurrency: 1, max: Number.POSITIVE_INFINITY })

  /** A process each, with memory and disk of its own. */
  const packs = createWorkQueue({ name: 'packing', concurrency: MAX_PACKING, max: Number.POSITIVE_INFINITY })

  const limitsOf: OutputKeeper['limits'] = (diskBytes) => ({
    maxBytes: Math.min(diskBytes, Math.floor(limits().bytes / SHARE_OF_ONE)),
    maxEntries: MAX_ENTRIES,
  })

  /** Without the archive; why it went is remembered for those who ask. */
  async function drop(record: ResultRecord, detail: string): Promise<void> {
    const folder = await files.temp()
    const { code: _code, ...rest } = record
    const next = { ...rest, size: 0, files: 0, complete: false, detail }
    await files.commit(folder, next)
    records.set(record.service, next)
  }

  async function forget({ service }: ResultRecord): Promise<void> {
    records.delete(service)
    await files.remove(service)
  }

  async function expire(): Promise<void> {
    const now = clock.now()
    for (const record of records.values()) {
      if (now >= record.at + FORGET_MS && now >= record.expires) await forget(record)
      else if (record.code !== undefined && now >= record.expires)
        await drop(record, `were kept until ${new Date(record.expires).toISOString()}`)
    }
    // the policy may give them less than before
    const kept = [...records.values()].filter(({ code }) => code !== undefined)
    for (const gone of resultsToEvict(kept, { author: '', size: 0 }, limits().bytes)) await drop(gone, MADE_ROOM)
    for (const record of recordsToForget([...records.values()], MAX_RECORDS)) await forget(record)
  }

  async function pack(left: TaskOutputs, diskBytes: number, folder: string, signal: AbortSignal): Promise<Packed> {
    const nothing = (detail: string): Packed => ({ size: 0, files: 0, complete: false, detail })
    if ('problem' in left) return nothing(left.problem)
    const { maxBytes, maxEntries } = limitsOf(diskBytes)
    const packing = { dir: folder, maxBytes, maxEntries, signal }
    try {
      const packed = await packs.add(() => packOutputs({ clock }, left.paths, packing))
      const detail = packedDetail(packed)
      if (packed.code === undefined) return nothing(`are not there: ${detail ?? 'no file'}`)
      return { ...packed, complete: packed.missing.length === 0, detail }
    } catch (error) {
      if (error instanceof TooLargeError)
        return nothing(
          `have more than the ${formatBytes(maxBytes)} or ${formatCount(maxEntries)} files that this node keeps of one task (LIMITS.RESULTS.BYTES)`,
        )
      if (error instanceof BadArchiveError) return nothing(`cannot be packed: ${error.message}`)
      throw error
    }
  }

  const keep: OutputKeeper['keep'] = async ({ service, runId, diskBytes }, left, { signal }) => {
    const folder = await files.temp()
    try {
      const { code, size, files: count, complete, detail } = await pack(left, diskBytes, folder, signal)
      const at = clock.now()
      const about = { v: 1 as const, service: service.id, runId, author: service.author, at }
      const expires = at + limits().seconds * 1000
      const record = { ...about, code: code?.toString(), size, files: count, complete, detail, expires }
      await changes.add(async () => {
        const others = [...records.values()].filter((other) => other.service !== service.id && other.code !== undefined)
        for (const gone of resultsToEvict(others, record, limits().bytes)) await drop(gone, MADE_ROOM)
        await files.commit(folder, record)
        records.set(service.id, record)
        await expire()
      })
      return keptText(record)
    } finally {
      await disk.rm(folder, { recursive: true, force: true })
    }
  }

  const look = () =>
    changes
      .add(expire)
      .catch((error: unknown) =>
        log.warn('results that have expired could not be removed', { reason: messageOf(error) }),
      )
  await look()
  const timer = clock.every(EXPIRY_LOOK_MS, () => void look())

  return {
    keeper: { limits: limitsOf, keep },
    get: (service) => records.get(service),
    async open(service) {
      const code = records.get(service)?.code
      return code === undefined ? undefined : openPackedOutputs(files.folder(service), parseCid(code), disk)
    },
    [Symbol.dispose]: () => timer.cancel(),
  }
}
