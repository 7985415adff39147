import { addressOfPeerId, formatAddress } from '../../protocols/address.ts'
import { parseCid } from '../../protocols/encoding.ts'
import { verifyReceipt } from '../../protocols/receipt.ts'
import type { KeyCache } from '../../protocols/signature.ts'
import type { Admission } from '../admission/admission.ts'
import type { ServiceDecider } from '../admission/decide-service.ts'
import type { NodeFactsSource } from '../admission/facts/node-facts.ts'
import type { Clock } from '../base/clock.ts'
import type { Events } from '../base/events.ts'
import type { Verdict } from '../base/verdict.ts'
import type { Code } from '../code/index.ts'
import type { Pools, Supervisor } from '../execution/index.ts'
import type { Intake } from '../intake/index.ts'
import type { Journal } from '../journal/index.ts'
import type { Network } from '../network/index.ts'
import { within } from '../peer-client/status.ts'
import type { PolicyManager } from '../policy/manager.ts'
import type { Publisher } from '../publishing/publisher.ts'
import { createReceive } from '../publishing/receive.ts'
import type { ServiceSigner } from '../publishing/service-signer.ts'
import type { CodeOrigins } from '../services/code-origins.ts'
import { createLists } from '../services/lists/lists.ts'
import { createReach } from '../services/reach.ts'
import { receiptView } from '../services/receipts.ts'
import type { ServiceEntry, Services } from '../services/registry.ts'
import { createUsageHistory } from '../services/usage-history.ts'
import type { Trust } from '../trust/index.ts'
import type { NodeEvents } from './events.ts'
import { createNodeCode, type NodeCodeComponents } from './node-code.ts'
import { countTrustEvents } from './trust-counters.ts'
import { createTrustFacade } from './trust-facade.ts'
import type { DrainView, Explanation, Health, PastVerdict, ServiceView, ThundercloudNode } from './types.ts'
import type { PeerStatus } from './wiring/peer-status.ts'

export interface FacadeComponents {
  clock: Clock
  events: Events<NodeEvents>
  journal: Pick<Journal, 'stops' | 'announcements' | 'verdicts' | 'runs' | 'rows' | 'sequence' | 'advance'>
  network: Network
  services: Services
  facts: NodeFactsSource
  decide: ServiceDecider
  supervisor: Supervisor
  code: Code
  pools: Pools
  repair: NodeCodeComponents['repair']
  codeOrigins: Pick<CodeOrigins, 'of'>
  findSources: NodeCodeComponents['findSources']
  intake: Intake
  publisher: Publisher
  serviceSigner: ServiceSigner
  trust: Trust
  policyManager: PolicyManager
  policyHistory: ThundercloudNode['policyHistory']
  admission: Pick<Admission, 'drain' | 'pause' | 'blocks' | 'parkedState' | 'placementText' | 'removeParked' | 'view'>
  keys: KeyCache
  peerStatus: Pick<PeerStatus, 'ask'>
  results: ThundercloudNode['results']
}

export type FacadeInit = {
  version: string
  networkName: string
  own: string
  startedAt: number
  logs: ThundercloudNode['logs']
  reload(): Promise<unknown>
  close(): Promise<void>
}

/** Answers of other nodes that take longer are left out. */
const ASK_MS = 4_000

/** A node as the API, the command line and tests use it. */
export function createFacade(components: FacadeComponents, init: FacadeInit): ThundercloudNode {
  const { clock, events, journal, network, services, facts, supervisor, publisher, serviceSigner } = components
  const counters = countTrustEvents(events)
  const code = createNodeCode(components)
  const verified = (receipt: Uint8Array) => verifyReceipt(receipt, init.networkName, components.keys)
  const lists = createLists({ clock, journal, services, parked: parkedView, verified })
  // views also hold state that is not in the journal: its changes are events
  events.onAny(() => journal.advance())
  const reach = createReach(
    { clock, services, supervisor, streams: network.streams, ask: components.peerStatus.ask },
    init,
  )
  const statements = createTrustFacade({ trust: components.trust, network })

  function view(entry: ServiceEntry): ServiceView {
    const { receipts, ...summary } = services.view(entry)
    return {
      ...summary,
      parked: parkedView(entry.id),
      placement: components.admission.placementText(entry.id),
      receipts,
    }
  }

  function parkedView(id: string): ServiceView['parked'] {
    const parked = components.admission.parkedState(id)
    if (parked === undefined) return undefined
    const { drain, pause } = components.admission
    return {
      since: Math.floor(parked.since / 1000),
      until: Math.floor(parked.until / 1000),
      on: parked.on,
      drained: drain.view() === undefined ? undefined : true,
      paused: pause.view() === undefined ? undefined : true,
    }
  }

  async function explain(text: string, options: { now?: boolean; history?: boolean } = {}): Promise<Explanation> {
    const entry = services.find(text)
    const { id, verdict: last } = entry
    const { parked, redirected, via } = view(entry)
    const code = components.codeOrigins.of(entry)
    const more = { parked, code, history: options.history === true ? historyOf(id) : undefined }
    if (options.now !== true && last !== undefined && (last.verdict !== undefined || last.failure !== undefined)) {
      const { failure, verdict = failedVerdict(failure) } = last
      return { id, at: Math.floor(last.at / 1000), from: 'journal', verdict, redirected, failure, ...more }
    }
    const { verdict, failure } = await components.decide.dryRun(entry)
    return {
      id,
      at: Math.floor(clock.now() / 1000),
      from: 'now',
      verdict,
      // the policy decides nothing about what was published here
      redirected: via !== 'local' && isRedirected(verdict.redirect, entry),
      failure,
      ...more,
    }
  }

  /** As in intake: an update is redirected where the version before it is. */
  function isRedirected(redirect: boolean, { record }: ServiceEntry): boolean {
    const predecessor = record.predecessor === undefined ? undefined : journal.announcements.get(record.predecessor)
    return redirect || record.own || predecessor?.redirect === true
  }

  function historyOf(id: string): PastVerdict[] {
    return journal.verdicts.history(id).map(({ at, policy, verdict, failure }) => {
      return { at: Math.floor(at / 1000), policy: Buffer.from(policy).toString('hex'), verdict, failure }
    })
  }

  return {
    network: init.networkName,
    peerId: network.peerId,
    address: init.own,
    events,
    multiaddrs: () => network.multiaddrs(),
    reachability: () => network.reachability(),
    async health() {
      const executors = facts.executors().map(({ name, available, detail, unenforcedLimits, ownOnly }) => ({
        name,
        available,
        ownOnly,
        detail: unenforcedLimits.length === 0 ? detail : `${detail} (not enforced: ${unenforcedLimits.join('; ')})`,
      }))
      return {
        ok: true,
        version: init.version,
        network: init.networkName,
        peerId: network.peerId,
        address: init.own,
        peers: network.peers().length,
        services: journal.announcements.count(),
        running: supervisor.running().length,
        executors,
        statements: counters.statements(),
        hub: counters.hub(),
        drain: drainHealth(components.admission.drain.view()),
        paused: components.admission.pause.view(),
        uptimeSeconds: Math.floor((clock.monotonic() - init.startedAt) / 1000),
      }
    },
    peers: () =>
      network.peers().map(({ connectedAt, ...peer }) => ({
        ...peer,
        connectedAt: Math.floor(connectedAt / 1000),
        address: formatAddress(addressOfPeerId(peer.peerId)),
      })),
    services: () => services.all().map(view),
    lists: {
      ...lists,
      services(query) {
        const { items, next } = lists.services(query)
        return { items: items.map(view), next }
      },
    },
    asOf: () => journal.sequence(),
    service: (id) => view(services.find(id)),
    async ask(text, { signal } = {}) {
      const answers = []
      const service = parseCid(services.find(text).id)
      const ask = (until: AbortSignal) => components.peerStatus.ask(service, { signal: until })
      for await (const receipt of within(clock, ASK_MS, signal, ask)) {
        if (receipt.body.state !== 'unknown') answers.push(receiptView(receipt))
      }
      return answers
    },
    explain,
    usage: createUsageHistory({ services, journal }),
    portOf: reach.port,
    connect: reach.connect,
    logs: init.logs,
    results: components.results,
    receive: createReceive(components),
    async publishManifest(manifest) {
      const issued = await serviceSigner.fromManifest(manifest)
      const id = await publisher.publish(issued)
      return { id, seq: issued.signed.body.seq }
    },
    code,
    pools: announced(components.pools, facts),
    async addArchive(tar) {
      const added = await components.code.addTar(tar)
      return { code: added.code.toString(), size: added.size }
    },
    async stop(text) {
      const entry = services.find(text)
      if (formatAddress({ type: 'ed25519', key: entry.signed.body.author.slice(2) }) === init.own) {
        await publisher.publish(serviceSigner.stopOf(entry.signed))
        return { scope: 'mesh' }
      }
      journal.stops.add(entry.id, clock.now())
      components.admission.removeParked(entry.id)
      await supervisor.stop(entry.id, { why: 'the operator of this node stopped it' })
      return { scope: 'local' }
    },
    drain: (options) => components.admission.drain.begin(options),
    undrain: () => components.admission.drain.end(),
    drainView: () => components.admission.drain.view(),
    pause: components.admission.pause,
    blocks: components.admission.blocks,
    submitStatement: statements.submitStatement,
    statements: statements.statements,
    lookUpStatements: statements.lookUpStatements,
    trustTree: statements.trustTree,
    policy: () => ({ ...components.admission.view(), facts: facts.current() }),
    async reload() {
      await init.reload()
    },
    previewPolicy: (text, options) => components.policyManager.preview(text, options),
    previewStatement: (encoded, options) => components.policyManager.previewStatement(encoded, options),
    applyPolicy: (text, options) => components.policyManager.apply(text, options),
    policyText: () => components.policyManager.read(),
    policyHistory: components.policyHistory,
    [Symbol.asyncDispose]: init.close,
  }
}

/** What of a drain anyone may know. */
function drainHealth(view: DrainView | undefined): Health['drain'] {
  if (view === undefined) return undefined
  const { since, deadline, done } = view
  return { since, deadline, done }
}

/** The verdict of a runner that failed: nothing is done. */
function failedVerdict(failure = 'the runner failed'): Verdict {
  return { run: false, redirect: false, reasons: [{ rule: 'runner', outcome: 'fail', message: failure }] }
}

/** A pool that came or went is known to the next decision. */
function announced(pools: Pools, facts: Pick<NodeFactsSource, 'refresh'>): Pools {
  return {
    list: () => pools.list(),
    listData: () => pools.listData(),
    removeData: (name, options) => pools.removeData(name, options),
    async create(spec) {
      const made = await pools.create(spec)
      await facts.refresh()
      return made
    },
    async remove(name, options) {
      await pools.remove(name, options)
      await facts.refresh()
    },
  }
}
