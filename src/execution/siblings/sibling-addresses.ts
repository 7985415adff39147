import { createHash } from 'node:crypto'
import type { Sibling } from './types.ts'

/**
 * A loopback address of its own for each sibling, 127.128.0.0 to 127.255.255.255: the same as long as the run lives, also
 * over restarts of the node. It depends on the run's id, so that no peer can choose a key that gets the address of another.
 */
export function siblingAddresses(runId: string, siblings: readonly Sibling[]): Map<string, Sibling> {
  const found = new Map<string, Sibling>()
  for (const sibling of siblings) {
    let attempt = 0
    while (found.has(addressOf(runId, sibling.peer, attempt))) attempt++
    found.set(addressOf(runId, sibling.peer, attempt), sibling)
  }
  return found
}

function addressOf(runId: string, peer: string, attempt: number): string {
  const [a = 0, b = 0, c = 0] = createHash('sha256').update(`${runId} ${peer} ${attempt}`).digest()
  return `127.${128 | a}.${b}.${c}`
}
