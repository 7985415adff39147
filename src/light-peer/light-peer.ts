import { generateKeyPairSync } from 'node:crypto'
import { addAbortListener } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Announcement, encodeAnnouncement } from '../../protocols/announcement.ts'
import type { CID } from '../../protocols/encoding.ts'
import { RECEIPT_PROTOCOL, type Receipt, verifyReceipt } from '../../protocols/receipt.ts'
import { createKeyCache, ed25519Signer } from '../../protocols/signature.ts'
import { ARCHIVE_PROTOCOL } from '../../protocols/streams/archive.ts'
import { createChannel } from '../base/bounded-channel.ts'
import { type Clock, sleep } from '../base/clock.ts'
import { InputError, messageOf, UnavailableError } from '../base/errors.ts'
import { createEvents } from '../base/events.ts'
import type { Log } from '../base/log.ts'
import type { Rng } from '../base/rng.ts'
import type { CodeEvents } from '../code/index.ts'
import { createCode } from '../code/index.ts'
import { transportProblem } from '../config/index.ts'
import type { NetworkEvents } from '../network/index.ts'
import { createNetwork, type Network } from '../network/index.ts'
import { findHolders } from '../peer-client/code-holders.ts'
import { servicePeers } from '../peer-client/service-peers.ts'
import { createAccessTokens } from './access-tokens.ts'
import { joinScope } from './join-scope.ts'
import { createLightRuns } from './runs.ts'
import { createLightRecordValidator, createStatementCheck, createStatementSubmitter } from './submit-statements.ts'
import type { LightPeer, LightPeerInit, LookupOptions } from './types.ts'

export type { LightPeer, LightPeerInit } from './types.ts'

export type LightPeerComponents = { clock: Clock; rng: Rng; log: Log }

const STORE_BYTES = 8 * 1024 ** 3
const MAX_RECEIPTS = 4096
/** Between two tries to hand an announcement to neighbours that do not listen yet. */
const ANNOUNCE_AGAIN_MS = 500
const ANNOUNCE_TRIES = 10

export async function createLightPeer(components: LightPeerComponents, init: LightPeerInit): Promise<LightPeer> {
  const { clock, rng, log } = components
  if (init.join.length === 0) throw new InputError('a light peer needs at least one multiaddr to join through')
  for (const address of init.join) {
    const problem = transportProblem(address)
    if (problem !== undefined) throw new InputError(`--join ${problem}`)
  }
  const scope = joinScope(init.join)
  const privateKey = init.identity ?? generateKeyPairSync('ed25519').privateKey
  const self = ed25519Signer(privateKey)
  const token = createAccessTokens({ clock }, { ...init, self: self.address })
  await using started = new AsyncDisposableStack()
  const dir = await mkdtemp(join(tmpdir(), 'thundercloud-'))
  started.defer(() => rm(dir, { recursive: true, force: true }))

  const keys = createKeyCache()
  const events = createEvents<NetworkEvents & CodeEvents>((error) =>
    log.error('a listener failed', { reason: messageOf(error) }),
  )
  const receipts = createChannel<Receipt>(MAX_RECEIPTS)
  const closing = new AbortController()

  const check = createStatementCheck({ clock, keys }, { network: init.network })
  const network = started.use(
    await createNetwork(
      {
        clock,
        rng,
        log: log.child('network'),
        events,
        recordValidator: createLightRecordValidator(check),
      },
      {
        network: init.network,
        identity: privateKey,
        role: 'client',
        listen: [scope.listen],
        visibility: scope.visibility,
        keepPeers: false,
      },
    ),
  )
  const code = started.use(
    await createCode(
      { clock, rng, log: log.child('code'), events, streams: network.streams, providers: network.dht },
      { dir: join(dir, 'code'), maxBytes: STORE_BYTES, self: network.peerId },
    ),
  )
  started.defer(() => {
    closing.abort(new UnavailableError('the peer is closing'))
    receipts.end()
  })
  await network.streams.handle(ARCHIVE_PROTOCOL, (stream, { signal }) => code.serve(stream, { signal }))
  await network.streams.handle(RECEIPT_PROTOCOL, async (stream) => {
    const encoded = await stream.read()
    if (encoded !== undefined) receipts.push(verifyReceipt(encoded, init.network, keys))
    await stream.end()
  })
  await joinThrough(network, init.join, init.signal)

  /** Peers that look in the DHT find the archive there; receivers of the announcement have replyTo. */
  function provided<T extends { code: CID }>(added: T): T {
    network.dht.provide(added.code, { signal: closing.signal }).catch((error: unknown) => {
      log.debug("no peer of the DHT took the archive's record yet", { reason: messageOf(error) })
    })
    return added
  }

  const candidates = (service: CID, { peers = [], signal }: LookupOptions) =>
    servicePeers({ network }, service, { reporters: peers, signal })
  const statements = createStatementSubmitter(
    { clock, log, network, check },
    { network: init.network, join: init.join },
  )
  const holding = { clock, streams: network.streams, providers: network.dht.findProviders }
  const runs = createLightRuns({ clock, keys, streams: network.streams, candidates, token }, init)
  const resources = started.move()
  return {
    peerId: network.peerId,
    replyTo: () => network.multiaddrs().slice(0, 4),
    addFolder: async (folder, { signal } = {}) => provided(await code.addFolder(folder, { signal })),
    addArchive: async (tar, { signal } = {}) => provided(await code.addTar(tar, { signal })),
    async announce(announcement: Announcement, { signal } = {}) {
      const bytes = encodeAnnouncement(announcement)
      for (let attempt = 0; attempt < ANNOUNCE_TRIES; attempt++) {
        const outcome = await network.gossip.publish(bytes, { to: 'all', signal })
        if (outcome !== 'no-peers') return
        await sleep(clock, ANNOUNCE_AGAIN_MS, { signal })
      }
      throw new UnavailableError(`no node of network "${init.network}" listens at ${init.join.join(', ')}`)
    },
    submitStatement: (encoded, options) => statements.submit(encoded, options),
    async *receipts({ signal } = {}) {
      using _stop = signal && addAbortListener(signal, () => receipts.end())
      yield* receipts
    },
    holders: (id, options) => findHolders(holding, id, options),
    answers: runs.answers,
    ask: runs.ask,
    connect: runs.connect,
    connectAt: runs.connectAt,
    logs: runs.logs,
    logsAt: runs.logsAt,
    resultsAt: runs.resultsAt,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

/** One address that answers is enough; when none does, the last reason is thrown. */
async function joinThrough(
  network: Network,
  addresses: readonly string[],
  signal: AbortSignal | undefined,
): Promise<void> {
  await network.join()
  const dials = await Promise.allSettled(addresses.map((address) => network.dial(address, { neighbour: true, signal })))
  signal?.throwIfAborted()
  const peers = dials.flatMap((dial, index) =>
    dial.status === 'fulfilled' ? [{ peer: dial.value, address: addresses[index] }] : [],
  )
  const others = await Promise.all(
    peers.map(({ peer }) => network.otherNetwork(peer, { signal }).catch(() => undefined)),
  )
  signal?.throwIfAborted()
  if (others.some((other) => other === undefined)) return
  const [other] = others
  if (other !== undefined) {
    throw new InputError(
      `${peers[0]?.address} is a node of network "${other}", and this is meant for "${network.network}": say --network ${other}, or join through a node of "${network.network}"`,
    )
  }
  const reasons = dials.flatMap((dial) => (dial.status === 'rejected' ? [messageOf(dial.reason)] : []))
  const problem = `could not join the mesh: ${reasons.join('; ')}`
  const isInput = dials.every((dial) => dial.status === 'rejected' && dial.reason instanceof InputError)
  throw isInput ? new InputError(problem) : new UnavailableError(problem)
}
