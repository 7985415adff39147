import { createInterface } from 'node:readline'
import { entryFile, entryFlags } from '../../base/child-entry.ts'
import type { Clock } from '../../base/clock.ts'
import { UnavailableError } from '../../base/errors.ts'
import { startPiped } from '../../process/index.ts'
import type { Line, NodeOrder, RelayOrder, Setup } from './messages.ts'

/** What its folder takes to be removed; then it is killed. */
const END_MS = 10_000
/** Of its last words. */
const MAX_ERROR_CHARACTERS = 2000

/** A process of a live simulation. It ends when this one does, however that happens: its standard input ends. */
export interface Child<Order> extends AsyncDisposable {
  ask<Answer>(order: Order): Promise<Answer>
  /** As a crash would. Resolves when all that it had told was heard. */
  kill(): Promise<void>
}

type ChildInit = {
  readonly setup: Setup
  readonly onLine: (line: Exclude<Line, { readonly answer: number }>) => void
  /** It ended, and nobody wanted it to. */
  readonly onLost: (error: Error) => void
}

export function startChild<Order extends NodeOrder | RelayOrder>(
  { clock }: { clock: Clock },
  { setup, onLine, onLost }: ChildInit,
): Child<Order> {
  const args = [...entryFlags(import.meta.url), '--no-warnings', entryFile(import.meta.url, '../process/live')]
  const child = startPiped({ kind: 'live', program: process.execPath, args })
  const asked = new Map<number, PromiseWithResolvers<never>>()
  let [count, wanted, words] = [0, false, '']
  let gone: Error | undefined

  const tell = (message: object) => void child.stdin.write(`${JSON.stringify(message)}\n`)
  child.stdin.on('error', () => {})
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    words = `${words}${text}`.slice(-MAX_ERROR_CHARACTERS)
  })
  createInterface(child.stdout).on('line', (text) => {
    const line = JSON.parse(text) as Line
    if (!('answer' in line)) return onLine(line)
    const question = asked.get(line.answer)
    asked.delete(line.answer)
    if (line.error === undefined) question?.resolve(line.value as never)
    else question?.reject(new UnavailableError(line.error))
  })
  const ended = new Promise<void>((resolve) => {
    const end = (error?: Error) => {
      gone = error ?? new UnavailableError(`a process of the live simulation ended early: ${words.trim()}`)
      for (const { reject } of asked.values()) reject(gone)
      asked.clear()
      if (!wanted) onLost(gone)
      resolve()
    }
    child.once('error', end).once('close', () => end())
  })
  tell(setup)

  return {
    async ask<Answer>(order: Order) {
      if (gone !== undefined) throw gone
      const question = Promise.withResolvers<never>()
      asked.set(++count, question)
      tell({ ...order, question: count })
      return (await question.promise) as Answer
    },
    async kill() {
      wanted = true
      child.kill('SIGKILL')
      await ended
    },
    async [Symbol.asyncDispose]() {
      wanted = true
      child.stdin.end()
      using _late = clock.after(END_MS, () => void child.kill('SIGKILL'))
      await ended
    },
  }
}
