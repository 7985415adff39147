import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/**
 * Collects everything that is garbage and gives the memory back to the system. Loading a program leaves tens of megabytes
 * behind, and V8 keeps them for as long as there is little to do. Takes tens of milliseconds, in which nothing else happens.
 */
export function releaseHeap(): void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as (options: object) => void
  setFlagsFromString('--no-expose-gc')
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' })
}
