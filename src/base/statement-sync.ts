import type { CID } from '../../protocols/encoding.ts'
import type { StatementItem } from '../../protocols/streams/sync.ts'

/** The hub statements that sync serves and fills. Ids name the encoded bytes (`statementId`). */
export interface StatementSource {
  /** Items after `after` in byte order of their ids, at most `max`. */
  list(after: CID | undefined, max: number): readonly StatementItem[]
  get(id: CID): Uint8Array | undefined
  /** Which of these would count here and are not here. */
  wants(items: readonly StatementItem[]): readonly CID[]
  /** Takes a statement in. Throws a ProtocolError where it is malformed or forged: its sender pays. */
  arrive(bytes: Uint8Array, from: string): Promise<void>
}

/** What the DHT's value records have to be; every path on which one is written asks it. */
export interface RecordValidator {
  /** Throws a ProtocolError where the value may not lie under this key now. Times are seconds. */
  validate(
    key: string,
    value: Uint8Array,
  ): { readonly signer: string; readonly issued: number; readonly expires: number }
  /** Does `a` take the place of `b`? Both lie under one key. */
  supersedes(a: Uint8Array, b: Uint8Array): boolean
  /** This node relies on it: records of others do not evict it. */
  isPinned(value: Uint8Array): boolean
}
