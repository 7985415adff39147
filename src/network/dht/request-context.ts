import { AsyncLocalStorage } from 'node:async_hooks'
import type { KadDHTComponents } from '@libp2p/kad-dht'
import { overriding } from '../host/overriding.ts'

/**
 * The peer of the request that kad-dht handles now. It passes a peer's record to the datastore without naming the peer;
 * so the handler of its streams runs in a context that knows.
 */
export interface RequestContext {
  /** The peer whose request is being answered; undefined for what this node does of its own accord. */
  currentPeer(): string | undefined
  run<T>(peer: string, work: () => T): T
  /** kad-dht's components, with a registrar whose handlers run in the context of their peer. */
  wrap(components: KadDHTComponents): KadDHTComponents
}

export function createRequestContext(): RequestContext {
  const context = new AsyncLocalStorage<string>()
  const handlersIn = (registrar: KadDHTComponents['registrar']) =>
    overriding(registrar, {
      handle: (protocol, handler, options) =>
        registrar.handle(
          protocol,
          (stream, connection) => context.run(connection.remotePeer.toString(), () => handler(stream, connection)),
          options,
        ),
    })
  return {
    currentPeer: () => context.getStore(),
    run: (peer, work) => context.run(peer, work),
    wrap: (components) => overriding(components, { registrar: handlersIn(components.registrar) }),
  }
}
