import { addressOfPeerId, formatAddress, peerIdOf } from '../../protocols/address.ts'
import { type Announcement, decodeAnnouncement, verifyAnnouncement } from '../../protocols/announcement.ts'
import { parseCid } from '../../protocols/encoding.ts'
import { ProtocolError } from '../../protocols/errors.ts'
import type { KeyCache } from '../../protocols/signature.ts'
import type { Clock } from '../base/clock.ts'
import { InputError } from '../base/errors.ts'
import type { Events } from '../base/events.ts'
import type { Code } from '../code/index.ts'
import type { Supervisor } from '../execution/index.ts'
import type { Intake } from '../intake/index.ts'
import type { Journal } from '../journal/index.ts'
import type { Network } from '../network/index.ts'
import { askStatus } from './ask.ts'
import type { Explanation, Received, ThundercloudNode } from './contract.ts'
import type { Decide } from './decide.ts'
import type { NodeEvents } from './events.ts'
import type { Facts } from './facts.ts'
import type { Own } from './own.ts'
import type { Publisher } from './publisher.ts'
import { type Receipts, receiptView } from './receipts.ts'
import type { Services } from './services.ts'

export interface FaceComponents {
  clock: Clock
  events: Events<NodeEvents>
  journal: Pick<Journal, 'stops' | 'announcements'>
  network: Network
  services: Services
  facts: Facts
  receipts: Receipts
  decide: Decide
  supervisor: Supervisor
  code: Code
  intake: Intake
  publisher: Publisher
  own: Own
  keys: KeyCache
}

export type FaceInit = {
  version: string
  network: string
  own: string
  startedAt: number
  logs: ThundercloudNode['logs']
  reload(): Promise<void>
  close(): Promise<void>
}

/** What a whole node offers to whoever holds it: the API, the command line, a test. */
export function createFace(components: FaceComponents, init: FaceInit): ThundercloudNode {
  const { clock, events, journal, network, services, facts, supervisor, intake, publisher, own } = components

  async function receive(bytes: Uint8Array, asPublisher: boolean): Promise<Received> {
    if (asPublisher) {
      const announcement = read(bytes)
      const known = journal.announcements.has(announcement.signed.id.toString())
      return { outcome: known ? 'known' : 'new', id: await publisher.publish(announcement) }
    }
    const outcome = await intake.submit(bytes, 'api')
    if (outcome.outcome !== 'refused') return outcome
    return { outcome: 'refused', reason: outcome.reason, retry: outcome.retry }
  }

  function read(bytes: Uint8Array): Announcement {
    try {
      const announcement = decodeAnnouncement(bytes)
      verifyAnnouncement(announcement.signed, init.network, components.keys)
      return announcement
    } catch (error) {
      if (error instanceof ProtocolError) throw new InputError(error.message, { cause: error })
      throw error
    }
  }

  async function explain(text: string): Promise<Explanation> {
    const entry = services.find(text)
    const { id, verdict } = entry
    if (verdict?.verdict !== undefined) {
      return {
        id,
        at: Math.floor(verdict.at / 1000),
        from: 'journal',
        verdict: verdict.verdict,
        failure: verdict.failure,
      }
    }
    const now = await components.decide.dryRun(entry)
    return { id, at: Math.floor(clock.now() / 1000), from: 'now', verdict: now.verdict, failure: now.failure }
  }

  return {
    network: init.network,
    peerId: network.peerId,
    address: init.own,
    events,
    multiaddrs: () => network.multiaddrs(),
    async health() {
      const executors = facts.executors().map(({ name, available, detail, weaker, ownOnly }) => ({
        name,
        available,
        ownOnly,
        detail: weaker.length === 0 ? detail : `${detail} (weaker: ${weaker.join('; ')})`,
      }))
      return {
        ok: true,
        version: init.version,
        network: init.network,
        peerId: network.peerId,
        address: init.own,
        peers: network.peers().length,
        services: journal.announcements.count(),
        running: supervisor.running().length,
        executors,
        uptimeSeconds: Math.floor((clock.monotonic() - init.startedAt) / 1000),
      }
    },
    peers: () =>
      network.peers().map(({ connectedAt, ...peer }) => ({
        ...peer,
        connectedAt: Math.floor(connectedAt / 1000),
        address: formatAddress(addressOfPeerId(peer.peerId)),
      })),
    services: () => services.all().map((entry) => services.view(entry)),
    service: (id) => services.view(services.find(id)),
    async ask(text, { signal } = {}) {
      const answers = []
      const asking = { clock, keys: components.keys, streams: network.streams, candidates }
      for await (const receipt of askStatus(asking, init.network, parseCid(services.find(text).id), { signal })) {
        if (receipt.body.state !== 'unknown') answers.push(receiptView(receipt))
      }
      return answers
    },
    explain,
    logs: init.logs,
    receive: (bytes, { asPublisher = false } = {}) => receive(bytes, asPublisher),
    async publishManifest(manifest) {
      const issued = await own.fromManifest(manifest)
      const id = await publisher.publish(issued)
      return { id, seq: issued.signed.body.seq }
    },
    async addArchive(tar) {
      const { code, size } = await components.code.addTar(tar)
      return { code: code.toString(), size }
    },
    async stop(text) {
      const entry = services.find(text)
      if (formatAddress({ type: 'ed25519', key: entry.signed.body.author.slice(2) }) === init.own) {
        await publisher.publish(own.stopOf(entry.signed))
        return { scope: 'mesh' }
      }
      journal.stops.add(entry.id, clock.now())
      await supervisor.stop(entry.id, { why: 'the operator of this node stopped it' })
      return { scope: 'local' }
    },
    reload: init.reload,
    [Symbol.asyncDispose]: init.close,
  }

  /** The nodes that said they run it, neighbours, then the DHT. */
  async function* candidates(
    service: Parameters<Network['dht']['findProviders']>[0],
    options: { signal?: AbortSignal | undefined },
  ) {
    const seen = new Set<string>([peerIdOf(addressOfPeerId(network.peerId))])
    const told = components.receipts.views(service.toString()).map(({ peerId }) => peerId)
    for (const peerId of [...told, ...network.peers().map((peer) => peer.peerId)]) {
      if (!seen.has(peerId)) yield peerId
      seen.add(peerId)
    }
    for await (const peerId of network.dht.findProviders(service, options)) {
      if (!seen.has(peerId)) yield peerId
      seen.add(peerId)
    }
  }
}
