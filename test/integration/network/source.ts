import { type CID, cidOfStructure, compareBytes } from '../../../protocols/encoding.ts'
import { ProtocolError } from '../../../protocols/errors.ts'
import type { SyncItem } from '../../../protocols/sync.ts'
import type { SyncSource } from '../../../src/network/index.ts'

/** What intake is to sync, with texts for services: an id is the CID of the text, "bad..." is a forgery. */
export function textSource(emitted: string[] = []) {
  const have = new Map<string, { id: CID; bytes: Uint8Array }>()
  const came: { text: string; from: string; via: string }[] = []
  const add = (text: string) => {
    const bytes = new TextEncoder().encode(text)
    have.set(cidOfStructure(bytes).toString(), { id: cidOfStructure(bytes), bytes })
  }
  for (const text of emitted) add(text)
  const source: SyncSource = {
    list: (after, max) =>
      [...have.values()]
        .map(({ id }): SyncItem => [id, 0])
        .sort(([a], [b]) => compareBytes(a.bytes, b.bytes))
        .filter(([id]) => after === undefined || compareBytes(id.bytes, after.bytes) > 0)
        .slice(0, max),
    get: (id) => have.get(id.toString())?.bytes,
    wants: (items) => items.map(([id]) => id).filter((id) => !have.has(id.toString())),
    async arrive(bytes, from, via) {
      const text = new TextDecoder().decode(bytes)
      if (text.startsWith('bad')) throw new ProtocolError('sig', 'is forged')
      came.push({ text, from, via })
      add(text)
    },
  }
  return {
    source,
    add,
    came,
    texts: () => [...have.values()].map(({ bytes }) => new TextDecoder().decode(bytes)).sort(),
  }
}

export function idOf(text: string): CID {
  return cidOfStructure(new TextEncoder().encode(text))
}
