import type { Clock } from '../../base/clock.ts'
import { InputError } from '../../base/errors.ts'
import type { BlockRecord, Journal } from '../../journal/index.ts'

/** Blocks at once. They are looked up for each decision, and a person looks through them. */
export const MAX_BLOCKS = 4096

export type BlockKind = BlockRecord['kind']

/** What the operator has blocked, over restarts. A block whose time is over is not in force, also while it is still kept. */
export interface BlockList {
  /** The block in force. */
  get(kind: BlockKind, subject: string): BlockRecord | undefined
  all(): BlockRecord[]
  /** Replaces the one on the same subject. Throws an InputError where there are too many. */
  put(block: BlockRecord): void
  /** Answers the one that was in force. */
  remove(kind: BlockKind, subject: string): BlockRecord | undefined
  /** Removes those whose time is over, and answers them. */
  removeExpired(): BlockRecord[]
  /** When the next one ends by itself, ms. */
  nextEnd(): number | undefined
}

export function createBlockList({ clock, store }: { clock: Clock; store: Journal['blocks'] }): BlockList {
  const keyOf = (kind: BlockKind, subject: string) => `${kind}:${subject}`
  const blocks = new Map(store.all().map((block) => [keyOf(block.kind, block.subject), block]))
  const isOver = ({ until }: BlockRecord) => until !== null && until <= clock.now()

  function drop({ kind, subject }: BlockRecord): void {
    store.remove(kind, subject)
    blocks.delete(keyOf(kind, subject))
  }

  function get(kind: BlockKind, subject: string): BlockRecord | undefined {
    const block = blocks.get(keyOf(kind, subject))
    return block === undefined || isOver(block) ? undefined : block
  }

  return {
    get,
    all: () => [...blocks.values()].filter((block) => !isOver(block)),
    put(block) {
      const key = keyOf(block.kind, block.subject)
      if (!blocks.has(key) && blocks.size >= MAX_BLOCKS) {
        throw new InputError(`${MAX_BLOCKS} blocks are in force, which is the most; remove one first`)
      }
      store.put(block)
      blocks.set(key, block)
    },
    remove(kind, subject) {
      const block = get(kind, subject)
      if (block !== undefined) drop(block)
      return block
    },
    removeExpired() {
      const over = [...blocks.values()].filter(isOver)
      for (const block of over) drop(block)
      return over
    },
    nextEnd() {
      const ends = [...blocks.values()].flatMap(({ until }) => (until === null ? [] : [until]))
      return ends.length === 0 ? undefined : Math.min(...ends)
    },
  }
}
