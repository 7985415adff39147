import { addAbortListener } from 'node:events'
import type { Cli } from '../cli.ts'

/**
 * Says, where waiting is interrupted, that what was published stays so. `advice` is one sentence: what else is to be known or
 * done. Dispose it when the waiting is over.
 */
export function noteOnInterrupt(
  { out, signal }: Pick<Cli, 'out' | 'signal'>,
  { name, id, advice }: { name: string; id: string; advice(): string },
): Disposable {
  const note = () => {
    if (out.json) out.item({ event: 'left', id, published: true }, () => '')
    else out.note(`"${name}" stays published. ${advice()}`)
  }
  return addAbortListener(signal, note)
}
