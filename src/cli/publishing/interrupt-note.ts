import { addAbortListener } from 'node:events'
import type { Cli } from '../cli.ts'
import { commandText, shellText } from '../output/command-text.ts'

/** How far it has come. `published`: undefined where that is not known. */
export type Stage = { readonly published: boolean | undefined; readonly id?: string; sentence(): string }

/** Says what is so now where publishing is interrupted. Dispose it when nothing is left to interrupt. */
export interface InterruptNote extends Disposable {
  /** From now on it is so. Throws where it was interrupted before, so that no stage begins after its end was reported. */
  enter(stage: Stage): void
}

export function noteOnInterrupt(
  { out, signal }: Pick<Cli, 'out' | 'signal'>,
  mode: 'publish' | 'update',
): InterruptNote {
  const goesOn = mode === 'publish' ? 'the service is not published' : 'the current version keeps running'
  let current: Stage = { published: false, sentence: () => `Nothing was announced: ${goesOn}.` }
  const listener = addAbortListener(signal, () => {
    const { published = null, id, sentence } = current
    if (out.json) out.item({ event: 'left', id, published }, () => '')
    else out.note(sentence())
  })
  return {
    enter(stage) {
      signal.throwIfAborted()
      current = stage
    },
    [Symbol.dispose]: () => listener[Symbol.dispose](),
  }
}

/** The stages of each way to publish. `typed`: what names it on a command line; `through`: options with which it is found again. */
export function stagesOf(
  cli: Pick<Cli, 'globals'>,
  { name, typed: words, through }: { name: string; typed: readonly string[]; through: readonly string[] },
) {
  const typed = (...words: string[]) => commandText(cli, words)
  const options = through.length === 0 ? '' : ` (each with \`${shellText(through)}\`)`
  const follow = `see it with ${typed('status', name)}, end it with ${typed('stop', name)}${options}`
  const again = `announce it again with ${typed('update', ...words)}`
  return {
    stopping: {
      published: false,
      sentence: () => `The previous version is stopped, and the next one is not announced: ${again}${options}.`,
    },
    announcing: {
      published: undefined,
      sentence: () => `It is not known whether "${name}" was announced: ${follow}.`,
    },
    announced: (id: string): Stage => ({
      ...{ published: true, id },
      sentence: () => `"${name}" stays published: ${follow}.`,
    }),
    /** As long as this machine serves the code. `held`: how many nodes have it. */
    serving: (id: string, held: () => string): Stage => ({
      ...{ published: true, id },
      sentence: () =>
        `"${name}" stays published, but its code was served from here, and ${held()}: ${again}, ${follow}.`,
    }),
  } satisfies Record<string, Stage | ((...args: never[]) => Stage)>
}
