import { decodeSigned, type Signed } from '../../protocols/announcement.ts'
import { LruMap } from '../base/lru-map.ts'
import type { AnnouncementRecord, Journal } from '../journal/index.ts'

/** Decoded bodies that are kept ready; one is a few hundred bytes to 16 KiB. */
const MAX_DECODED = 1024

export type SignedService = Extract<Signed, { kind: 'service' }>

/** Services as their authors signed them. */
export interface SignedServices {
  get(id: string): SignedService | undefined
  /** Undefined where it is a stop. */
  of(record: AnnouncementRecord): SignedService | undefined
}

export function createSignedServices({ journal }: { journal: Pick<Journal, 'announcements'> }): SignedServices {
  const decoded = new LruMap<string, Signed>(MAX_DECODED)

  function of(record: AnnouncementRecord): SignedService | undefined {
    const signed = decoded.get(record.id) ?? decodeSigned(record.body, record.sig)
    decoded.set(record.id, signed)
    return signed.kind === 'service' ? signed : undefined
  }

  return {
    of,
    get(id) {
      const record = journal.announcements.get(id)
      return record === undefined ? undefined : of(record)
    },
  }
}
