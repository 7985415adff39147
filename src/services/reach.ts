import { decodeAddress, formatAddress, peerIdOf } from '../../protocols/address.ts'
import { type CID, parseCid } from '../../protocols/encoding.ts'
import type { Receipt } from '../../protocols/receipt.ts'
import { type Clock, deadline } from '../base/clock.ts'
import { AccessError, NotFoundError, TimeoutError } from '../base/errors.ts'
import { joinWords, sanitizeText } from '../base/format.ts'
import type { BytePipe } from '../base/stream.ts'
import type { Supervisor } from '../execution/index.ts'
import { connectTunnel, type Network } from '../network/index.ts'
import type { ServiceEntry, Services } from './registry.ts'

/** Looking for a node that runs it, and connecting to it, takes no longer. */
const CONNECT_MS = 15_000
/** What a node that may be connected to says of it. */
const REACHABLE: ReadonlySet<string> = new Set(['running', 'accepted', 'done'])

export interface ReachComponents {
  clock: Clock
  services: Pick<Services, 'find'>
  supervisor: Pick<Supervisor, 'connect' | 'granted'>
  streams: Network['streams']
  /** what other nodes do with it now */
  ask(service: CID, options: { signal?: AbortSignal | undefined }): AsyncIterable<Receipt>
}

type Connect = (id: string, port: string, options?: { signal?: AbortSignal | undefined }) => Promise<BytePipe>

/** Reaches ports of services as this node: in its own run, or through a tunnel to a node that runs it. */
export function createReach(components: ReachComponents, { own }: { own: string }): { port: PortOf; connect: Connect } {
  const { clock, services, supervisor, streams } = components
  const runsHere = (id: string) => supervisor.granted().some(({ service }) => service === id)

  /** Other nodes check it themselves; here, nobody else does. */
  function checkAccess({ signed: { body } }: ServiceEntry, name: string, access = 'author'): void {
    const author = formatAddress(decodeAddress(body.author))
    if (access !== 'author' || author === own) return
    throw new AccessError(
      `port "${sanitizeText(name, 64)}" is for the service's author alone; with the author's key or a token of theirs, \`thundercloud connect\` opens it`,
    )
  }

  const port: PortOf = (text, wanted) => {
    const entry = services.find(text)
    const { ports = [] } = entry.signed.body.run
    const found = ports.find(({ name }) => name === wanted)
    if (found === undefined) {
      const names = ports.map(({ name }) => sanitizeText(name, 64))
      const has = names.length === 0 ? 'none' : joinWords(names)
      throw new NotFoundError(`the service has no port "${sanitizeText(wanted, 64)}"; it has ${has}`)
    }
    if (runsHere(entry.id)) checkAccess(entry, found.name, found.access)
    return { id: entry.id, port: found.name }
  }

  async function connectElsewhere(id: string, name: string, signal: AbortSignal): Promise<BytePipe> {
    const service = parseCid(id)
    let last: unknown = new NotFoundError('no node was found that runs the service')
    for await (const { body } of components.ask(service, { signal })) {
      if (!REACHABLE.has(body.state)) continue
      const peer = peerIdOf(decodeAddress(body.node))
      try {
        return await connectTunnel(streams, peer, { v: 1, service, port: name }, { signal })
      } catch (error) {
        signal.throwIfAborted()
        last = error
      }
    }
    throw last
  }

  return {
    port,
    async connect(text, wanted, { signal } = {}) {
      const { id, port: name } = port(text, wanted)
      using limit = deadline(clock, CONNECT_MS, new TimeoutError('no node that runs it answered in time'), signal)
      if (runsHere(id)) return await supervisor.connect(id, name, { signal: limit.signal })
      return await connectElsewhere(id, name, limit.signal)
    },
  }
}

/** The service and the port that are meant. Throws where there are none, or this node may not use the port. */
type PortOf = (id: string, port: string) => { readonly id: string; readonly port: string }
