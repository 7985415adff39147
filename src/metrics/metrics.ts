import { prometheusMetrics } from '@libp2p/prometheus-metrics'
import { collectDefaultMetrics, Registry } from 'prom-client'
import type { Health } from '../node/types.ts'
import { observe } from './observe.ts'
import { createInstruments, type Instruments } from './registry.ts'
import type { Measured, Metrics } from './types.ts'

/** One registry for each node: several may be in one process. */
export function createMetrics(): Metrics {
  const registry = new Registry()
  const instruments = createInstruments(registry)
  /** Each with the relayed bytes that are counted already. */
  const observed = new Map<Measured, number>()
  collectDefaultMetrics({ register: registry })
  return {
    // by default it would clear the registry, and collect the figures of the process a second time
    libp2p: prometheusMetrics({ registry, preserveExistingMetrics: true, collectDefaultMetrics: false }),
    contentType: registry.contentType,
    observe(node) {
      const subscriptions = observe(node, instruments)
      observed.set(node, 0)
      return {
        [Symbol.dispose]() {
          observed.delete(node)
          subscriptions[Symbol.dispose]()
        },
      }
    },
    async text() {
      for (const [node, counted] of observed) {
        setGauges(await node.health(), instruments)
        const { relaying } = node.reachability()
        if (relaying === undefined) continue
        instruments.set('relay_reservations', relaying.reservations)
        instruments.set('relay_circuits', relaying.circuits)
        instruments.count('relayed_bytes', {}, relaying.bytes - counted)
        observed.set(node, relaying.bytes)
      }
      return await registry.metrics()
    },
  }
}

function setGauges(health: Health, { set }: Instruments): void {
  const { version, network, peerId } = health
  set('info', 1, { version, network, peer: peerId })
  set('peers', health.peers)
  set('services', health.services)
  set('running', health.running)
  set('uptime_seconds', health.uptimeSeconds)
  set('draining', health.drain === undefined ? 0 : 1)
  set('paused', health.paused === undefined ? 0 : 1)
  for (const { name, available } of health.executors) set('executor_available', available ? 1 : 0, { executor: name })
}
