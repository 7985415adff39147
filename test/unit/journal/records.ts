import { cidOfStructure, encodeCanonical } from '../../../protocols/encoding.ts'
import type { AnnouncementRecord } from '../../../src/journal/index.ts'

export const NOW_MS = 1_700_000_000_000
export const NOW = NOW_MS / 1000

/** A record that hangs together; `number` makes its id. */
export function record(number: number, change: Partial<AnnouncementRecord> = {}): AnnouncementRecord {
  const body = encodeCanonical({ number })
  return {
    id: cidOfStructure(body).toString(),
    kind: 'service',
    author: Uint8Array.of(1, 2, 3),
    name: `name-${number}`,
    seq: 0,
    body,
    sig: new Uint8Array(64).fill(7),
    code: undefined,
    depth: 3,
    proof: new Uint8Array(32).fill(9),
    issued: NOW,
    expires: NOW + 3600,
    receivedAt: NOW_MS + number,
    via: 'gossip',
    from: 'peer',
    own: false,
    redirect: undefined,
    emittedDepth: undefined,
    state: 'live',
    endedBy: undefined,
    predecessor: undefined,
    ...change,
  }
}
