import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** By how much what is live may grow before the whole heap is collected: in a node from 55 to 110 MB. */
const GROWTH_PERCENT = 100

/**
 * V8 collects a heap that grows slowly after every tenth that it has grown. That costs little time, but the time is in
 * pieces of 10 to 40 ms, a second or two apart, in which no announcement goes on. Here it grows to twice what is live; left
 * idle, V8 collects it all the same.
 */
export function collectSeldom(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`)
}

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
