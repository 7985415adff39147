import type { Globals } from './globals.ts'

/**
 * Lets time pass until the work is done: one timer fires, then all that follows from it happens, then the next one. `onThrown` hears
 * what a timer throws.
 */
export async function drive<T>(
  globals: Pick<Globals, 'fireNext' | 'drained'>,
  work: () => Promise<T>,
  onThrown: (error: unknown) => void,
): Promise<T> {
  let done = false
  const result = work().finally(() => {
    done = true
  })
  result.catch(() => {})
  await globals.drained()
  while (!done) {
    if (!fireNext(globals, onThrown))
      throw new Error('the simulation stands still: nothing waits for a time that will come')
    await globals.drained()
  }
  return await result
}

/** Lets so much time pass at most, until no timer is set. Answers how many are: they are set again and again. */
export async function runDry(
  globals: Pick<Globals, 'fireNext' | 'drained' | 'timers'>,
  forMs: number,
  onThrown: (error: unknown) => void,
): Promise<number> {
  const until = performance.now() + forMs
  await globals.drained()
  while (globals.timers() > 0 && performance.now() < until) {
    fireNext(globals, onThrown)
    await globals.drained()
  }
  return globals.timers()
}

function fireNext({ fireNext: fire }: Pick<Globals, 'fireNext'>, onThrown: (error: unknown) => void): boolean {
  try {
    return fire()
  } catch (error) {
    onThrown(error)
    return true
  }
}
