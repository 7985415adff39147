import { formatBytes, formatCount } from '../../base/format.ts'
import { StoreFullError } from '../errors.ts'

/** What something takes on the disk. `files`: also folders and links, whatever the kernel keeps an inode for. */
export type Room = { readonly bytes: number; readonly files: number }

/** Something that takes room and may be thrown out to make some. */
export type Evictable = Room & { readonly usedAt: number; readonly evict: () => Promise<void> }

export interface Quota {
  readonly used: Room
  /** Files for which there is room, once all that may go has gone. */
  readonly filesLeft: number
  /** Takes room before it is filled; throws out what was used longest ago. Throws StoreFullError where that is not enough. */
  take(room: Room, options?: { beside?: Room }): Promise<void>
  /** Throws what `take` would throw, and takes nothing. `beside`: what has to stay for it. */
  check(room: Room, options?: { beside?: Room }): void
  give(room: Room): void
  /** Counts what lies there since before, also where it is more than allowed now. */
  keep(room: Room): void
}

/** `candidates` says what may go now, in any order. `evict` gives back its own room. */
export function createQuota(max: Room, candidates: () => Evictable[]): Quota {
  const used = { bytes: 0, files: 0 }
  const fits = ({ bytes, files }: Room, spare: Room) =>
    used.bytes + bytes - spare.bytes <= max.bytes && used.files + files - spare.files <= max.files
  const evictable = () =>
    candidates().reduce((sum, { bytes, files }) => ({ bytes: sum.bytes + bytes, files: sum.files + files }), NOTHING)
  const tooMuch = (room: Room, beside: Room) => {
    const whole = { bytes: room.bytes + beside.bytes, files: room.files + beside.files }
    const never = whole.bytes > max.bytes || whole.files > max.files
    const { bytes, files } = never ? whole : room
    const isBytes = never ? bytes > max.bytes : used.bytes + bytes > max.bytes
    const [all, now, more] = isBytes
      ? [max.bytes, used.bytes, bytes].map(formatBytes)
      : [max.files, used.files, files].map((count) => `${formatCount(count)} files and folders`)
    const message = never
      ? `the code store may use ${all}, and this takes ${more}; QUOTAS.CODE_STORE in config.json says how much it may use`
      : `the code store may use ${all} and ${now} are in use; ${more} more do not fit`
    return new StoreFullError(message, { never })
  }
  function check(room: Room, { beside = NOTHING }: { beside?: Room } = {}): void {
    if (!fits(room, evictable())) throw tooMuch(room, beside)
  }
  return {
    get used() {
      return { ...used }
    },
    get filesLeft() {
      return max.files - used.files + evictable().files
    },
    check,
    async take(room, { beside = NOTHING } = {}) {
      // asked first, so that nothing is thrown out in vain
      check(room, { beside })
      while (!fits(room, NOTHING)) {
        const [oldest] = candidates().sort((a, b) => a.usedAt - b.usedAt)
        if (oldest === undefined) throw tooMuch(room, beside)
        await oldest.evict()
      }
      used.bytes += room.bytes
      used.files += room.files
    },
    give({ bytes, files }) {
      used.bytes -= bytes
      used.files -= files
    },
    keep({ bytes, files }) {
      used.bytes += bytes
      used.files += files
    },
  }
}

const NOTHING: Room = { bytes: 0, files: 0 }
