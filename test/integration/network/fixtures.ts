import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import type { ServiceMap } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { createLibp2p, type Libp2pOptions } from 'libp2p'
import { afterEach } from 'vitest'
import { createEvents, type Events } from '../../../src/base/events.ts'
import { createLog } from '../../../src/base/log.ts'
import { seededRng } from '../../../src/base/rng.ts'
import type { MessageStream } from '../../../src/base/stream.ts'
import type { NetworkEvents } from '../../../src/network/events.ts'
import {
  createNetwork,
  type IncomingMessage,
  type MessageValidator,
  type Network,
  type NetworkComponents,
  type NetworkHandlers,
  type NetworkInit,
  type SyncSource,
} from '../../../src/network/index.ts'

import { openRelay } from '../../fixtures/net.ts'
import { system } from '../../fixtures/system.ts'

/** As `join` takes them; by default everything is accepted, and nothing synced. */
type Handlers = {
  validator?: MessageValidator
  sync?: SyncSource
  statements?: NetworkHandlers['statements']
}

export type TestNetwork = { network: Network; events: Events<NetworkEvents>; arrivals: IncomingMessage[] }

export function newKey(): KeyObject {
  return generateKeyPairSync('ed25519').privateKey
}

/** Networks of the test that runs, on 127.0.0.1; what is on the stack ends with it. Called once a file. */
export function createNetworks() {
  let stack = new AsyncDisposableStack()
  let count = 0
  afterEach(async () => {
    const ended = stack
    stack = new AsyncDisposableStack()
    await ended.disposeAsync()
  })
  return {
    get stack() {
      return stack
    },
    async make(
      init: Partial<NetworkInit> & { join?: boolean } = {},
      parts: Partial<NetworkComponents> & Handlers = {},
    ): Promise<TestNetwork> {
      const events = createEvents<NetworkEvents>()
      const arrivals: IncomingMessage[] = []
      const { validator = async () => 'accept', sync, statements, ...components } = parts
      const made = await createNetwork(
        {
          clock: system.clock,
          rng: seededRng(`network-test-${count++}`),
          log: process.env.NETWORK_LOG ? createLog({ level: 'trace' }) : system.log,
          events,
          ...components,
        },
        {
          network: 'test',
          identity: newKey(),
          listen: ['/ip4/127.0.0.1/tcp/0'],
          visibility: 'private',
          dht: false,
          keepPeers: false,
          ...init,
        },
      )
      stack.use(made)
      const services: NetworkHandlers['services'] = {
        sync,
        validator: (arrival) => {
          arrivals.push(arrival)
          return validator(arrival)
        },
      }
      const network = { ...made, join: () => made.join({ services, statements }) }
      if (init.join !== false) await network.join()
      return { network, events, arrivals }
    },
    /** Another way to a network, which can be counted and cut. */
    async relayTo(made: TestNetwork) {
      const [, port = ''] = /\/tcp\/(\d+)/.exec(addressOf(made)) ?? []
      const relay = await openRelay({ port: Number(port), host: '127.0.0.1' })
      stack.defer(() => relay.cut())
      return Object.assign(relay, { address: addressOf(made).replace(`/tcp/${port}`, `/tcp/${relay.port}`) })
    },
    /** A peer of the library alone, which follows no rule of this network. */
    async stranger<Services extends ServiceMap>(options: Libp2pOptions<Services>) {
      const host = await createLibp2p({
        ...{ transports: [tcp()], connectionEncrypters: [noise()], streamMuxers: [yamux()] },
        addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
        ...options,
      })
      stack.defer(async () => host.stop())
      return host
    },
  }
}

export function addressOf({ network }: TestNetwork): string {
  const address = network.multiaddrs().find((text) => text.startsWith('/ip4/127.'))
  if (address === undefined) throw new Error('the network does not listen')
  return address
}

export async function connect(from: TestNetwork, to: TestNetwork): Promise<void> {
  await from.network.dial(addressOf(to))
}

/** Whether one is connected to the other. */
export const isConnectedTo = (made: TestNetwork, other: TestNetwork) => made.network.connectedTo(other.network.peerId)

/** What the first thinks of the second. */
export const scoreOf = (at: TestNetwork, of: TestNetwork) =>
  at.network.peers().find(({ peerId }) => peerId === of.network.peerId)?.score ?? 0

/** Resolves when so many neighbours listen to the services of this one. */
export const hasListeners = ({ network }: TestNetwork, count: number) =>
  until(() => network.gossip.listeners().length === count, 'subscriptions')

/** The reasons for which it refuses something from now on. */
export function refusalsOf({ events }: TestNetwork): string[] {
  const reasons: string[] = []
  events.on('network:refused', ({ reason }) => reasons.push(reason))
  return reasons
}

/** What comes on a stream until its end. */
export async function* messages(stream: MessageStream) {
  for (let message = await stream.read(); message !== undefined; message = await stream.read()) yield message
}

/** A handler that answers each message with itself. */
export async function echo(stream: MessageStream) {
  for await (const message of messages(stream)) await stream.write(message)
}

/** Waits until a count has grown, and then does so no more for several looks. */
export async function staysConstant(count: () => number, what: string): Promise<void> {
  let [before, looks] = [0, 0]
  await until(() => {
    looks = count() === before && before > 0 ? looks + 1 : 0
    before = count()
    return looks === 15
  }, what)
}

/** Waits until `check` holds; the real network has no hook for everything. */
export async function until(check: () => boolean | Promise<boolean>, what: string, ms = 15_000): Promise<void> {
  const end = performance.now() + ms
  while (!(await check())) {
    if (performance.now() > end) throw new Error(`waited ${ms} ms for: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
