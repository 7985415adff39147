import type { ExecutorName } from '../../base/verdict.ts'
import type { WarmClass, WarmStarts } from '../types.ts'

/** The program of a run that begins in a Node.js which is there already: what it gets by one message. */
export type WarmProgram = {
  /** the file and its arguments */
  readonly args: readonly string[]
  /** beside what every run has */
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
}

const PREFIX = 'warm-'

/** What a sandbox or container is called while it is idle. `madeAt`: when its pool was made, ms since 1970, for another had the same numbers. */
export function warmId(madeAt: number, number: number): string {
  return `${PREFIX}${Math.floor(madeAt).toString(36)}-${number}`
}

export function isWarm(id: string): boolean {
  return id.startsWith(PREFIX)
}

/** A sandbox or a container that waits for one run. */
export type WarmInstance = {
  readonly id: string
  /** There is a Node.js in it, for a run with this grant; undefined: a gateway, for any. */
  readonly warmClass: WarmClass | undefined
  /** what it was made from: where that is another by now, it is of no use */
  readonly version: string
  /** rejects when it ends by itself */
  readonly answer: Promise<string>
  /** Nothing in it waits any more. */
  end(): void
}

/** What is to be kept warm, and the executors that services begin in, the preferred one first. */
export type WantedWarm = Omit<WarmStarts, 'freeBytes'> & { readonly executors: readonly ExecutorName[] }
