import { ProtocolError } from '../../../protocols/errors.ts'
import type { RecordValidator } from '../../../src/network/index.ts'

/** What a statement is to the DHT, as JSON: whoever knows how to write one has signed it. */
export type Note = { key: string; signer: string; seq: number; expires: number; forged?: boolean; pad?: string }

const FAR = 4_000_000_000

export function note(key: string, fields: Partial<Note> = {}): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ key, signer: 'hub', seq: 1, expires: FAR, ...fields }))
}

export function readNote(value: Uint8Array): Note {
  return JSON.parse(new TextDecoder().decode(value)) as Note
}

/** `checks` counts what each check of a signature would cost. */
export function noteRules(pinned: { on?: (note: Note) => boolean } = {}) {
  const count = { checks: 0 }
  const rules: RecordValidator = {
    validate(key, value) {
      count.checks++
      const read = parse(value)
      if (read.key !== key) throw new ProtocolError('key', 'is of another record')
      if (read.forged) throw new ProtocolError('sig', 'is forged')
      return { signer: read.signer, issued: 0, expires: read.expires }
    },
    supersedes: (a, b) => parse(a).seq > parse(b).seq,
    isPinned: (value) => pinned.on?.(parse(value)) ?? false,
  }
  return { rules, count }
}

function parse(value: Uint8Array): Note {
  try {
    return readNote(value)
  } catch {
    throw new ProtocolError('', 'is no note')
  }
}
