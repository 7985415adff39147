import { isOfCrash } from '../machine/fence.ts'
import type { Globals } from './globals.ts'

/** Lets time pass until the work is done: one timer fires, then all that follows from it happens, then the next one. */
export async function drive<T>(globals: Globals, work: () => Promise<T>): Promise<T> {
  let done = false
  const result = work().finally(() => {
    done = true
  })
  result.catch(() => {})
  await globals.drained()
  while (!done) {
    if (!fireNext(globals)) throw new Error('the simulation stands still: nothing waits for a time that will come')
    await globals.drained()
  }
  return await result
}

/** What a process that has crashed throws in a timer harms nobody. */
function fireNext(globals: Globals): boolean {
  try {
    return globals.fireNext()
  } catch (error) {
    if (isOfCrash(error)) return true
    throw error
  }
}
