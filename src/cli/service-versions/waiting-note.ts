import type { Cli } from '../cli.ts'
import { FIRST_ANSWER_MS } from './ask-all.ts'

/** A node that is there answers sooner. */
const MOMENT_MS = 2_000

/** Says what is waited for, where it takes longer than a moment. Dispose it when the answer is there. */
export function noteWaiting({ clock, out }: Pick<Cli, 'clock' | 'out'>): Disposable {
  const timer = clock.after(MOMENT_MS, () => {
    out.note(`Asking the nodes that may run it; one that is gone is given up after ${FIRST_ANSWER_MS / 1000} s.`)
  })
  return { [Symbol.dispose]: () => timer[Symbol.dispose]() }
}
