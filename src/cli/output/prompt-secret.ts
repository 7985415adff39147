import { raceSignal } from 'race-signal'
import { escapeUnseen } from '../../base/format.ts'
import { InterruptedError } from '../errors.ts'
import type { Terminal } from './confirm.ts'
import type { Sink } from './sink.ts'

const [CTRL_C, BACKSPACE, DELETE] = ['\u0003', '\b', '\u007f']

/** Asks on standard error, and shows nothing of the answer. Undefined if standard input is not a terminal, or the output is for programs. */
export async function promptSecret(
  question: string,
  { stdin, stderr, signal, json }: { stdin?: Terminal | undefined; stderr: Sink; signal: AbortSignal; json: boolean },
): Promise<string | undefined> {
  if (stdin?.isTTY !== true || stdin.setRawMode === undefined || json) return undefined
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  let text = ''
  const onData = (piece: Buffer | string) => {
    for (const letter of piece.toString()) {
      if (letter === '\r' || letter === '\n') return resolve(text)
      // the terminal sends it as a letter now, and no signal
      if (letter === CTRL_C) return reject(new InterruptedError('interrupted', 130))
      text = letter === BACKSPACE || letter === DELETE ? text.slice(0, -1) : text + letter
    }
  }
  stderr.write(`${escapeUnseen(question)}: `)
  stdin.setRawMode(true)
  stdin.on('data', onData)
  // a question before this one has paused it, and then a listener alone does not begin the flow
  stdin.resume()
  try {
    return await raceSignal(promise, signal)
  } finally {
    stdin.off('data', onData)
    stdin.setRawMode(false)
    stdin.pause()
    stderr.write('\n')
  }
}
