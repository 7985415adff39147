import { addressBytes } from '../../../protocols/address.ts'
import { type CID, cidOfStructure, compareBytes } from '../../../protocols/encoding.ts'
import { MembersError, ProtocolError } from '../../../protocols/errors.ts'
import { statementId } from '../../../protocols/statement.ts'
import { signerOf } from '../../../scripts/vectors/kit/kit.ts'

export const bytesOf = (text: string) => new TextEncoder().encode(text)
export const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
export const idOf = (text: string): CID => cidOfStructure(bytesOf(text))
const HUB = addressBytes(signerOf('hub').address)

/** Texts to sync: "bad..." is a forgery, "some..." is signed by members who are unknown here. */
function sourceOf<About>(texts: readonly string[], cidOf: (bytes: Uint8Array) => CID, about: About) {
  const have = new Map<string, { id: CID; bytes: Uint8Array }>()
  const came: { text: string; from: string | undefined; via: string | undefined }[] = []
  const add = (text: string) => {
    const id = cidOf(bytesOf(text))
    have.set(id.toString(), { id, bytes: bytesOf(text) })
  }
  for (const text of texts) add(text)
  const source = {
    list: (after: CID | undefined, max: number) =>
      [...have.values()]
        .map(({ id }): [CID, About] => [id, about])
        .sort(([a], [b]) => compareBytes(a.bytes, b.bytes))
        .filter(([id]) => after === undefined || compareBytes(id.bytes, after.bytes) > 0)
        .slice(0, max),
    get: (id: CID) => have.get(id.toString())?.bytes,
    wants: (items: readonly (readonly [CID, About])[]) =>
      items.map(([id]) => id).filter((id) => !have.has(id.toString())),
    async arrive(bytes: Uint8Array, from?: string, via?: string) {
      const text = textOf(bytes)
      if (text.startsWith('bad')) throw new ProtocolError('sig', 'is forged')
      if (text.startsWith('some')) throw new MembersError('signers', 'are not known here')
      came.push({ text, from, via })
      add(text)
    },
  }
  return { source, add, came, texts: () => [...have.values()].map(({ bytes }) => textOf(bytes)).sort() }
}

export type Texts = ReturnType<typeof textSource>

/** What intake is to sync: an id is the CID of the text. */
export const textSource = (emitted: readonly string[] = []) => sourceOf(emitted, cidOfStructure, 0)

/** What trust is to it: every text is a statement of one hub. */
export const statementSource = (kept: readonly string[] = []) => sourceOf(kept, statementId, HUB)
