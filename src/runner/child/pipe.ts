import { writeSync } from 'node:fs'
import type { FromProcess } from '../ipc-messages.ts'

/** From the host: lines of ToProcess. */
export const READ_FD = 3
/** To the host: lines of FromProcess. */
export const WRITE_FD = 4
/** Nothing is ever sent here: it ends when the host does. */
export const GUARD_FD = 5

/**
 * Written at once and whole: what was answered stays answered if the next decision hangs or kills the process, so the
 * first request without an answer is the one that did it. The pipe blocks while the host is busy.
 */
export function send(message: FromProcess): void {
  sendLine(JSON.stringify(message))
}

export function sendLine(json: string): void {
  const bytes = Buffer.from(`${json}\n`)
  for (let sent = 0; sent < bytes.byteLength; ) sent += writeSync(WRITE_FD, bytes, sent)
}
