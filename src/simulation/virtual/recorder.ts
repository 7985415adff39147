import { createHash } from 'node:crypto'
import type { SimEvent, SimEventName } from '../events.ts'
import type { RunOptions } from '../types.ts'

/** Where all events go: into the hash, the counts, and out to whoever asked for them. */
export interface Recorder {
  /**
   * `a`, `b` and `c` are what tells this event from others, as numbers. Answers whether someone wants it: then it is handed
   * out with `give`.
   */
  record(name: SimEventName, ms: number, node: number, a: number, b: number, c: number): boolean
  give(event: SimEvent): void
  result(): { readonly sha256: string; readonly events: number; readonly counts: Partial<Record<SimEventName, number>> }
}

const NAMES: readonly SimEventName[] = [
  'joined',
  'left',
  'crashed',
  'cut',
  'healed',
  'published',
  'delivered',
  'verdict',
  'emitted',
  'run',
  'attested',
  'revoked',
  'lookup',
  'rejected',
  'graylisted',
]
const WORDS = 6
/** Events that are hashed together. */
const BATCH = 8192
/** Every hundredth node, and at least a hundred. */
const SAMPLE = { every: 100, least: 100 }

export function createRecorder(nodes: number, { events = 'all', onEvent }: RunOptions): Recorder {
  const hash = createHash('sha256')
  const batch = new Float64Array(BATCH * WORDS)
  const counts = new Float64Array(NAMES.length)
  const numbers = Object.fromEntries(NAMES.map((name, index) => [name, index])) as Record<SimEventName, number>
  const step = events === 'sampled' ? Math.max(1, Math.min(SAMPLE.every, Math.floor(nodes / SAMPLE.least))) : 1
  const silent = events === 'none' || onEvent === undefined
  let used = 0
  let total = 0
  const flush = () => {
    hash.update(new Uint8Array(batch.buffer, 0, used * 8))
    used = 0
  }
  return {
    give: (event) => onEvent?.(event),
    record(name, ms, node, a, b, c) {
      const number = numbers[name]
      batch[used] = number
      batch[used + 1] = ms
      batch[used + 2] = node
      batch[used + 3] = a
      batch[used + 4] = b
      batch[used + 5] = c
      used += WORDS
      if (used === batch.length) flush()
      counts[number] = (counts[number] as number) + 1
      total++
      return !silent && node % step === 0
    },
    result() {
      flush()
      const named = NAMES.flatMap((name, index) => ((counts[index] ?? 0) > 0 ? [[name, counts[index]] as const] : []))
      return { sha256: hash.digest('hex'), events: total, counts: Object.fromEntries(named) }
    },
  }
}
