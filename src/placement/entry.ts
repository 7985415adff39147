import { parseCid } from '../../protocols/encoding.ts'
import type { Clock } from '../base/clock.ts'
import { LruMap } from '../base/lru-map.ts'
import { type ClaimBook, createClaimBook } from './claim-book.ts'
import { MAX_ASKERS } from './constants.ts'
import type { Part } from './types.ts'

/** One service that this node claims, runs or stands by for. Times are of the monotonic clock, ms. */
export type Entry = {
  readonly id: string
  readonly book: ClaimBook
  part: Part
  /** when the next round begins */
  dueAt: number
  asking: boolean
  /** rounds in a row with the same finding */
  before: number
  /** when everyone was asked last */
  sweptAt: number
  /** where the round before stopped among those that it asks in turn */
  turn: number
  /** peers that asked about it, and when */
  readonly askers: LruMap<string, number>
  /** peers that came since the last round */
  readonly fresh: Set<string>
  providers: ReadonlySet<string>
  lookedUpAt: number
  /** runs that begin when a round finds them wanted */
  waiting: (() => void)[]
  /** what the claims of others came to in the last round, for people */
  text: string | undefined
  /** how often its run kept failing here, and until when it is not taken over again */
  setbacks: number
  restsUntil: number
}

export function createEntry({ clock }: { clock: Clock }, id: string, part: Part, dueAt: number): Entry {
  return {
    id,
    book: createClaimBook({ clock }, { service: parseCid(id) }),
    part,
    dueAt,
    asking: false,
    before: 0,
    sweptAt: Number.NEGATIVE_INFINITY,
    turn: 0,
    askers: new LruMap(MAX_ASKERS),
    fresh: new Set(),
    providers: new Set(),
    lookedUpAt: Number.NEGATIVE_INFINITY,
    waiting: [],
    text: undefined,
    setbacks: 0,
    restsUntil: 0,
  }
}
