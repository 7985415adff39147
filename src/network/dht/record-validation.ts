import { sha256, toBase32 } from '../../../protocols/encoding.ts'
import { ProtocolError } from '../../../protocols/errors.ts'
import { MAX_STATEMENT_BYTES } from '../../../protocols/limits.ts'
import type { Clock } from '../../base/clock.ts'
import { LruMap } from '../../base/lru-map.ts'
import type { RecordValidator } from '../../base/statement-sync.ts'
import { CHECKED_RECORDS, MAX_RECORD_KEY_BYTES } from '../constants.ts'
import { RecordRefusedError } from '../errors.ts'

export type RecordFacts = ReturnType<RecordValidator['validate']>
/** Throws a ProtocolError where the value may not lie under this key now. */
export type RecordCheck = (key: string, value: Uint8Array) => RecordFacts

/** The validator's check, with cheap bounds before it and a cache of what passed. */
export function createRecordCheck(validator: RecordValidator | undefined, clock: Clock): RecordCheck {
  const passed = new LruMap<string, RecordFacts>(CHECKED_RECORDS)
  return (key, value) => {
    if (validator === undefined) throw new RecordRefusedError('no value records are kept here')
    if (key.length > MAX_RECORD_KEY_BYTES)
      throw new ProtocolError('key', `is longer than ${MAX_RECORD_KEY_BYTES} bytes`)
    if (value.byteLength > MAX_STATEMENT_BYTES) {
      throw new ProtocolError('value', `has ${value.byteLength} bytes, at most ${MAX_STATEMENT_BYTES} are allowed`)
    }
    const name = toBase32(sha256(Buffer.concat([Buffer.from(`${key}\0`), value])))
    const facts = passed.get(name) ?? validator.validate(key, value)
    if (facts.expires * 1000 <= clock.now()) throw new ProtocolError('expires', 'is over')
    passed.set(name, facts)
    return facts
  }
}
