import { PATIENCE_MS } from './constants.ts'

/** Answers that are remembered, and how much longer than their median a round waits for one. */
const REMEMBERED = 32
const TIMES = 4
/** Before so many answers are known, what a slow one takes is assumed. */
const ENOUGH = 4
const ASSUMED_MS = 500

/** How long peers take to answer: where most are slow, because machines are busy, a round waits longer for each. */
export interface AnswerTimes {
  note(ms: number): void
  patienceMs(): number
}

export function createAnswerTimes(): AnswerTimes {
  const last: number[] = []
  return {
    note(ms) {
      last.push(ms)
      if (last.length > REMEMBERED) last.shift()
    },
    patienceMs() {
      const median = last.length < ENOUGH ? ASSUMED_MS : (last.toSorted((a, b) => a - b)[last.length >> 1] as number)
      return Math.min(PATIENCE_MS.most, Math.max(PATIENCE_MS.least, TIMES * median))
    },
  }
}
