import { createServer } from 'node:http'
import { type Duplex, duplexPair } from 'node:stream'
import { siblingAddresses } from './sibling-addresses.ts'
import type { SiblingPorts, Siblings } from './types.ts'

const MAX_HEADER_BYTES = 8 * 1024

/** What a run reads of its siblings, as JSON. `at`: by the name of a port, where that port of the sibling is, as host:port. */
export type SiblingList = {
  readonly self: string
  readonly siblings: readonly {
    readonly peerId: string
    readonly state: 'running' | 'accepted'
    readonly at: Readonly<Record<string, string>>
  }[]
}

/** A connection to the list: one answer to one GET, from this process. */
export function openSiblingList(list: () => SiblingList): Duplex {
  const [outside, inside] = duplexPair()
  const server = createServer({ maxHeaderSize: MAX_HEADER_BYTES }, (request, response) => {
    const isRead = request.method === 'GET' || request.method === 'HEAD'
    const headers = { 'content-type': 'application/json', 'cache-control': 'no-store', connection: 'close' }
    if (isRead) response.writeHead(200, headers).end(`${JSON.stringify(list())}\n`)
    else response.writeHead(405, { allow: 'GET', connection: 'close' }).end()
  })
  inside.on('error', () => {})
  outside.once('close', () => inside.destroy())
  server.emit('connection', inside)
  return outside
}

export function siblingList(
  siblings: Pick<Siblings, 'self' | 'list'>,
  about: { runId: string; service: string; ports: SiblingPorts['ports'] },
): SiblingList {
  const addresses = siblingAddresses(about.runId, siblings.list(about.service))
  return {
    self: siblings.self,
    siblings: [...addresses].map(([address, { peer, state }]) => {
      return {
        peerId: peer,
        state,
        at: Object.fromEntries(about.ports.map(({ name, port }) => [name, `${address}:${port}`])),
      }
    }),
  }
}
