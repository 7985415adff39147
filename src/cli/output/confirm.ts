import { raceSignal } from 'race-signal'
import { escapeUnseen } from '../../base/format.ts'
import type { Sink } from './sink.ts'

/** Where a person answers, if one is there. */
export type Terminal = NodeJS.ReadableStream & {
  readonly isTTY?: boolean | undefined
  setRawMode?(raw: boolean): unknown
}

/** Asks on standard error, like progress. Undefined if standard input is not a terminal, or the output is for programs. */
export async function promptYesNo(
  question: string,
  { stdin, stderr, signal, json }: { stdin?: Terminal | undefined; stderr: Sink; signal: AbortSignal; json: boolean },
): Promise<boolean | undefined> {
  if (stdin?.isTTY !== true || json) return undefined
  const { createInterface } = await import('node:readline/promises')
  // not as a terminal: Ctrl-C must reach the process, and nothing is to be edited in one letter
  const lines = createInterface({ input: stdin, terminal: false })
  try {
    stderr.write(`${escapeUnseen(question)} [y/N] `)
    const { promise, resolve } = Promise.withResolvers<string>()
    lines.once('line', resolve).once('close', () => resolve(''))
    const answer = await raceSignal(promise, signal)
    return /^\s*(y|yes)\s*$/i.test(answer)
  } finally {
    lines.close()
  }
}
