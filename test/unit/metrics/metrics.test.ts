import { expect, it } from 'vitest'
import { createEvents } from '../../../src/base/events.ts'
import { createMetrics } from '../../../src/metrics/index.ts'
import type { NodeEvents } from '../../../src/node/events.ts'
import type { Health, ReachabilityView } from '../../../src/node/types.ts'

const HEALTH: Health = {
  ok: true,
  version: '1.2.3',
  network: 'test',
  peerId: 'peer',
  address: 'address',
  peers: 3,
  services: 7,
  running: 2,
  executors: [
    { name: 'docker', available: false, detail: 'no engine' },
    { name: 'host', available: true, detail: 'bubblewrap' },
  ],
  statements: { new: 0, refused: 0, dropped: 0, lookups: 0, failedLookups: 0 },
  uptimeSeconds: 60,
}

const REACHABILITY = { state: 'direct', because: 'it is', relays: [] } as const

function measured(health: Partial<Health> = {}) {
  const events = createEvents<NodeEvents>()
  return { events, health: async () => ({ ...HEALTH, ...health }), reachability: () => REACHABILITY }
}

const lineOf = async (metrics: { text(): Promise<string> }, name: string) =>
  (await metrics.text()).split('\n').filter((line) => line.startsWith(name))

it('metrics count the events of their node, and of no other in the process', async () => {
  const [one, other] = [createMetrics(), createMetrics()]
  const node = measured()
  using _one = one.observe(node)
  using _other = other.observe(measured())
  node.events.emit('network:gossip-arrived', { topic: 'services', from: 'p', bytes: 100, answer: 'accept' })
  node.events.emit('network:gossip-arrived', { topic: 'services', from: 'q', bytes: 20, answer: 'accept' })
  expect(await lineOf(one, 'thundercloud_gossip_arrived')).toEqual([
    'thundercloud_gossip_arrived_total{topic="services",answer="accept"} 2',
    'thundercloud_gossip_arrived_bytes_total{topic="services"} 120',
  ])
  expect(await lineOf(other, 'thundercloud_gossip_arrived')).toEqual([])
})

it('metrics say what is so when they are asked', async () => {
  const metrics = createMetrics()
  const health = { peers: 3 }
  using _subscription = metrics.observe({ ...measured(), health: async () => ({ ...HEALTH, ...health }) })
  expect(await lineOf(metrics, 'thundercloud_peers ')).toEqual(['thundercloud_peers 3'])
  health.peers = 4
  expect(await lineOf(metrics, 'thundercloud_peers ')).toEqual(['thundercloud_peers 4'])
  expect(await lineOf(metrics, 'thundercloud_executor_available')).toEqual([
    'thundercloud_executor_available{executor="docker"} 0',
    'thundercloud_executor_available{executor="host"} 1',
  ])
})

it('a relay says how many it relays for, and each byte is counted once', async () => {
  const metrics = createMetrics()
  let relaying: ReachabilityView['relaying']
  using _subscription = metrics.observe({ ...measured(), reachability: () => ({ ...REACHABILITY, relaying }) })
  expect(await lineOf(metrics, 'thundercloud_relay')).toEqual([
    'thundercloud_relayed_bytes_total 0',
    'thundercloud_relay_reservations 0',
    'thundercloud_relay_circuits 0',
  ])
  relaying = { reservations: 2, circuits: 1, bytes: 100 }
  expect(await lineOf(metrics, 'thundercloud_relay')).toEqual([
    'thundercloud_relayed_bytes_total 100',
    'thundercloud_relay_reservations 2',
    'thundercloud_relay_circuits 1',
  ])
  relaying = { reservations: 0, circuits: 0, bytes: 150 }
  expect(await lineOf(metrics, 'thundercloud_relayed')).toEqual(['thundercloud_relayed_bytes_total 150'])
})

it('what strangers and runners write is no label: names, peers, reasons and rules make no new series', async () => {
  const metrics = createMetrics()
  const node = measured()
  using _subscription = metrics.observe(node)
  const lines = async () => (await metrics.text()).split('\n').length
  const send = (text: string) => {
    const verdict = {
      run: false,
      redirect: true,
      reasons: [{ code: text, outcome: 'refuses', message: text }],
    } as never
    node.events.emit('node:verdict', { id: text, name: text, verdict, tookMs: 3 })
    node.events.emit('network:refused', { peer: text, protocol: text, reason: text })
    node.events.emit('network:dial-failed', { target: text, reason: text, attempt: 1, retryInMs: 1 })
    node.events.emit('intake:refused', { via: 'gossip', from: text, reason: text })
    node.events.emit('trust:refused', { via: 'gossip', from: text, reason: text })
    node.events.emit('node:tunnel-refused', { id: text, port: text, peer: text, reason: text })
    node.events.emit('node:policy-refused', { reason: text })
    node.events.emit('alert:begun', { alert: 'service-failing', subject: text, summary: text })
    const notice = { alert: 'service-failing', state: 'begun', attempts: 1 } as const
    node.events.emit('alert:undelivered', { ...notice, reason: text, again: false })
  }
  send('first')
  const before = await lines()
  for (let n = 0; n < 100; n++) send(`another ${n}`)
  expect(await lines()).toBe(before)
  expect(await lineOf(metrics, 'thundercloud_verdicts_total')).toEqual([
    'thundercloud_verdicts_total{verdict="redirect"} 101',
  ])
})

it('a verdict is counted by what it does with the service', async () => {
  const metrics = createMetrics()
  const node = measured()
  using _subscription = metrics.observe(node)
  const decide = (verdict: object, failure?: string) =>
    node.events.emit('node:verdict', { id: 'a', name: 'a', verdict: verdict as never, failure, tookMs: 1 })
  decide({ run: { executor: 'docker' }, redirect: true, reasons: [] })
  decide({ run: false, redirect: true, park: [{ on: 'capacity' }], reasons: [] })
  decide({ run: false, redirect: true, park: [], reasons: [] })
  decide({ run: false, redirect: false, reasons: [] })
  decide({ run: false, redirect: false, reasons: [] }, 'it threw')
  expect(await lineOf(metrics, 'thundercloud_verdicts_total')).toEqual(
    ['run', 'park', 'redirect', 'drop'].map((verdict) => `thundercloud_verdicts_total{verdict="${verdict}"} 1`),
  )
  expect(await lineOf(metrics, 'thundercloud_verdict_failures_total')).toEqual([
    'thundercloud_verdict_failures_total 1',
  ])
})

it('a node that has ended is counted and asked no more', async () => {
  const metrics = createMetrics()
  let asked = 0
  const { events } = measured()
  const health = async () => ({ ...HEALTH, peers: ++asked })
  metrics.observe({ events, health, reachability: () => REACHABILITY })[Symbol.dispose]()
  events.emit('node:policy-refused', { reason: 'y' })
  expect(await lineOf(metrics, 'thundercloud_policies_refused_total')).toEqual([
    'thundercloud_policies_refused_total 0',
  ])
  expect(asked).toBe(0)
})
