import { expect, it } from 'vitest'
import { cidOfStructure, compareBytes } from '../../../protocols/encoding.ts'
import { checkPage, type SyncItem } from '../../../protocols/sync.ts'

const ids = Array.from({ length: 5 }, (_, index) => cidOfStructure(Uint8Array.of(index)))
const items: SyncItem[] = ids.toSorted((a, b) => compareBytes(a.bytes, b.bytes)).map((id) => [id, 1])
const [first, second] = items as [SyncItem, SyncItem]

it('a page that ascends leads on', () => {
  expect(() => checkPage({ items, more: true })).not.toThrow()
  expect(() => checkPage({ items: items.slice(1), more: false }, first[0])).not.toThrow()
  expect(() => checkPage({ items: [], more: false }, first[0])).not.toThrow()
})

it('one that does not is refused, and names the place', () => {
  expect(() => checkPage({ items: [second, first], more: false })).toThrow('items[1]: does not come after')
  expect(() => checkPage({ items: [first, first], more: false })).toThrow('items[1]: does not come after')
  expect(() => checkPage({ items: [first], more: true }, first[0])).toThrow('items[0]: does not come after')
  expect(() => checkPage({ items: [], more: true })).toThrow('more: says that there are others and lists none')
})
