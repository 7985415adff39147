import { formatBytes, formatCount } from '../../base/format.ts'
import { StoreFullError } from '../errors.ts'

/** What something takes on the disk. `files`: also folders and links, whatever the kernel keeps an inode for. */
export type DiskUsage = { readonly bytes: number; readonly files: number }

/** Something that uses disk space and may be evicted to free it. */
export type Evictable = DiskUsage & { readonly usedAt: number; readonly evict: () => Promise<void> }

export interface DiskQuota {
  readonly used: DiskUsage
  /** Files that still fit once everything evictable is evicted. */
  readonly filesLeft: number
  /** Reserves space before it is filled, and evicts what was used longest ago. Throws StoreFullError if that is not enough. */
  reserve(usage: DiskUsage, options?: { beside?: DiskUsage }): Promise<void>
  /** Throws what `reserve` would throw, and takes nothing. `beside`: what has to stay for it. */
  check(usage: DiskUsage, options?: { beside?: DiskUsage }): void
  release(usage: DiskUsage): void
  /** Counts what is there already, also if it is more than allowed now. */
  addExisting(usage: DiskUsage): void
}

/** `candidates` says what may go now, in any order. `evict` releases its own usage. */
export function createDiskQuota(max: DiskUsage, candidates: () => Evictable[]): DiskQuota {
  const used = { bytes: 0, files: 0 }
  const fits = ({ bytes, files }: DiskUsage, spare: DiskUsage) =>
    used.bytes + bytes - spare.bytes <= max.bytes && used.files + files - spare.files <= max.files
  const evictable = () =>
    candidates().reduce((sum, { bytes, files }) => ({ bytes: sum.bytes + bytes, files: sum.files + files }), NOTHING)
  const tooMuch = (usage: DiskUsage, beside: DiskUsage) => {
    const total = { bytes: usage.bytes + beside.bytes, files: usage.files + beside.files }
    const never = total.bytes > max.bytes || total.files > max.files
    const { bytes, files } = never ? total : usage
    const isBytes = never ? bytes > max.bytes : used.bytes + bytes > max.bytes
    const [all, now, more] = isBytes
      ? [max.bytes, used.bytes, bytes].map(formatBytes)
      : [max.files, used.files, files].map((count) => `${formatCount(count)} files and folders`)
    const message = never
      ? `the code store may use ${all}, and this takes ${more}; QUOTAS.CODE_STORE in config.json says how much it may use`
      : `the code store may use ${all} and ${now} are in use; ${more} more do not fit`
    return new StoreFullError(message, { never })
  }
  function check(usage: DiskUsage, { beside = NOTHING }: { beside?: DiskUsage } = {}): void {
    if (!fits(usage, evictable())) throw tooMuch(usage, beside)
  }
  return {
    get used() {
      return { ...used }
    },
    get filesLeft() {
      return max.files - used.files + evictable().files
    },
    check,
    async reserve(usage, { beside = NOTHING } = {}) {
      // asked first, so that nothing is evicted in vain
      check(usage, { beside })
      while (!fits(usage, NOTHING)) {
        const [oldest] = candidates().sort((a, b) => a.usedAt - b.usedAt)
        if (oldest === undefined) throw tooMuch(usage, beside)
        await oldest.evict()
      }
      used.bytes += usage.bytes
      used.files += usage.files
    },
    release({ bytes, files }) {
      used.bytes -= bytes
      used.files -= files
    },
    addExisting({ bytes, files }) {
      used.bytes += bytes
      used.files += files
    },
  }
}

const NOTHING: DiskUsage = { bytes: 0, files: 0 }
