import { decodeAddress, formatAddress } from '../../../protocols/address.ts'
import { type CID, parseCid } from '../../../protocols/encoding.ts'
import type { Clock } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import type { Events } from '../../base/events.ts'
import type { Log } from '../../base/log.ts'
import type { Code } from '../../code/index.ts'
import { FINAL_STATES, type Supervisor } from '../../execution/index.ts'
import type { Network } from '../../network/index.ts'
import type { Services } from '../../services/registry.ts'
import type { StateNotifier } from '../../services/state-notifier.ts'
import type { NodeEvents } from '../events.ts'

export interface RunEventsComponents {
  clock: Clock
  log: Log
  events: Events<NodeEvents>
  network: Network
  services: Services
  notify: StateNotifier['notify']
  supervisor: Supervisor
  code: Code
}

/**
 * What follows from a run's states: the DHT gets records of the run and of its code, the publisher gets a
 * receipt, and an author's stop ends the run.
 */
export function watchRuns(components: RunEventsComponents, init: { closing: AbortSignal }): Disposable {
  const { log, events, network, services, supervisor, notify } = components

  function provide(cid: CID): void {
    network.dht.provide(cid, { signal: init.closing }).catch((error: unknown) => {
      log.debug('the DHT has not taken a record yet', { cid: cid.toString(), reason: messageOf(error) })
    })
  }

  function cancel(cid: CID): void {
    network.dht.cancel(cid).catch((error: unknown) => {
      log.debug('a record could not be cancelled', { cid: cid.toString(), reason: messageOf(error) })
    })
  }

  /** services whose record this node has asked for */
  const provided = new Set<string>()
  const subscriptions = new DisposableStack()
  subscriptions.use(
    events.on('execution:state', ({ service, state, detail }) => {
      // from its start on: what asks for its claim finds it where it is no neighbour
      if (!FINAL_STATES.includes(state) && !provided.has(service)) {
        provided.add(service)
        provide(parseCid(service))
      }
      if (FINAL_STATES.includes(state)) {
        const done = state === 'exited' && services.get(service)?.run?.exitCode === 0
        provided.delete(service)
        // a finished task stays claimed until it expires, so that no node runs it again
        if (!done) cancel(parseCid(service))
      }
      notify(service, detail)
    }),
  )
  subscriptions.use(events.on('execution:healthy', ({ service }) => notify(service)))
  subscriptions.use(events.on('code:added', ({ code }) => provide(parseCid(code))))
  subscriptions.use(events.on('code:removed', ({ code }) => cancel(parseCid(code))))
  subscriptions.use(
    events.on('intake:stopped', ({ ids, author, name, seq }) => {
      // a version that was replaced runs on while its update is not healthy: it is stopped as well
      const older = supervisor.running().filter((id) => {
        const body = services.get(id)?.signed.body
        return body?.name === name && body.seq <= seq && formatAddress(decodeAddress(body.author)) === author
      })
      for (const id of new Set([...ids, ...older])) {
        supervisor.stop(id, { why: 'its author stopped it' }).then(
          () => notify(id),
          (error: unknown) => log.error('a stopped service could not be ended', { id, reason: messageOf(error) }),
        )
      }
    }),
  )
  for (const { code, complete } of components.code.store.list()) if (complete) provide(code)
  for (const id of supervisor.running()) {
    provided.add(id)
    provide(parseCid(id))
  }
  return subscriptions
}
