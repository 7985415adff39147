import { generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatAddress, parseAddress } from '../../../protocols/address.ts'
import { createKeyCache } from '../../../protocols/signature.ts'
import { createServiceDecider } from '../../../src/admission/decide-service.ts'
import { createEvaluator } from '../../../src/admission/evaluate.ts'
import { createRuleCounters } from '../../../src/admission/rule-counters.ts'
import { createAddressTexts } from '../../../src/base/address-texts.ts'
import { systemClock } from '../../../src/base/clock.ts'
import { createEvents } from '../../../src/base/events.ts'
import { createLog } from '../../../src/base/log.ts'
import { systemRng } from '../../../src/base/rng.ts'
import { type Configuration, initFolder, loadConfiguration } from '../../../src/config/index.ts'
import { createIntake } from '../../../src/intake/index.ts'
import { openJournal } from '../../../src/journal/index.ts'
import { createNetwork } from '../../../src/network/index.ts'
import type { NodeEvents } from '../../../src/node/events.ts'
import { meshHandlers } from '../../../src/node/wiring/mesh.ts'
import { createRunnerHost, type RunnerHost } from '../../../src/runner/index.ts'
import { createTrustStore } from '../../../src/trust/index.ts'
import { addressOf } from '../../../test/fixtures/mesh/gossip-mesh.ts'
import { idOf, makeService, newSigner } from '../../../test/fixtures/mesh/gossip-services.ts'
import type { Implementation, Setup } from './implementation.ts'

/** Many services of few authors in a moment: what the quotas are there to stop. */
export const QUOTAS = {
  SERVICES_PER_AUTHOR: 100_000,
  NEW_PER_AUTHOR_PER_MINUTE: 100_000,
  NEW_AUTHORS_PER_PEER_PER_MINUTE: 100_000,
  JOURNAL_MAX_SERVICES: 100_000,
}

const clock = systemClock()
const rng = systemRng()
const log = createLog({ level: 'error' })

/**
 * Nodes as src/node composes them, from network to verdict: validator, intake, a journal in a file, and one runner host that
 * all share, with Andromeda in its process. Nothing is run (no author is trusted), and no receipts are sent.
 */
export async function openThundercloud({ nodes, edges }: Setup): Promise<Implementation> {
  const dir = await mkdtemp(join(tmpdir(), 'thundercloud-bench-'))
  await using stack = new AsyncDisposableStack()
  stack.defer(() => rm(dir, { recursive: true, force: true }))
  const folder = join(dir, 'operator')
  await initFolder(folder, {
    node: { NETWORK: 'bench', VISIBILITY: 'private', QUOTAS },
    runner: { REDIRECTION_DEPTH: 8, STATIC_NODES: [], KEYWORDS: [] },
  })
  const { configuration } = await loadConfiguration(folder)
  const runner = stack.use(
    createRunnerHost(
      { clock, log, events: createEvents<NodeEvents>() },
      { ...configuration.runner, config: configuration.policy.config },
    ),
  )
  await runner.start()

  let listener: (key: string) => void = () => {}
  const open = (node: number) => openNode(configuration, runner, join(dir, `${node}.sqlite`), (id) => listener(id))
  const members = await Promise.all(Array.from({ length: nodes }, (_, node) => open(node)))
  for (const member of members) stack.use(member.parts)
  const member = (node: number) => members[node] as (typeof members)[number]
  for (const [a, b] of edges) await member(a).network.dial(addressOf(member(b).network))
  const authors = members.map(() => newSigner())
  const parts = stack.move()
  let count = 0
  return {
    prepare(node) {
      const author = authors[node]
      const change = { name: `service-${count++}` }
      const service = makeService({ depth: 8, network: 'bench', change, ...(author && { author }) })
      const bytes = service.signed.bytes.byteLength + service.signed.sig.byteLength + 41
      return { key: idOf(service), bytes, send: async () => void (await member(node).intake.publish(service)) }
    },
    onDelivery(onMessage) {
      listener = onMessage
    },
    idle: async () => void (await Promise.all(members.map(({ intake }) => intake.idle()))),
    childCpuSeconds: () => cpuSecondsOf(runner.stats().pid),
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  }
}

async function openNode(
  { policy, quotas, timeouts }: Configuration,
  runner: RunnerHost,
  path: string,
  decided: (id: string) => void,
) {
  await using parts = new AsyncDisposableStack()
  const key = generateKeyPairSync('ed25519').privateKey
  const events = createEvents<NodeEvents>()
  const journal = parts.use(openJournal({ path, clock, log }))
  const own = formatAddress(newSigner().address)
  const facts = {
    config: policy.config,
    own,
    capacity: { memoryBytes: 2 ** 30, cpuMillicores: 1000, diskBytes: 2 ** 30, pids: 64, runs: 4, executors: [] },
    running: [],
  }
  const closing = new AbortController()
  parts.defer(() => closing.abort(new Error('the benchmark is over')))
  const texts = createAddressTexts()
  const factsOf = () => facts
  const keys = createKeyCache()
  const trust = parts.use(
    createTrustStore(
      { clock, log, events, statements: journal.statements, keys, hasLiveCode: () => false },
      { network: 'bench', own: parseAddress(own), policy: () => policy.config },
    ),
  )
  const asking = createEvaluator(
    {
      clock,
      facts: {
        current: factsOf,
        assuming: factsOf,
        running: () => [],
        executors: () => [],
        refresh: async () => {},
        refreshMachine: async () => {},
        forget: () => {},
        [Symbol.dispose]() {},
      },
      runner,
      trust,
      texts,
      orders: { refusal: () => undefined, apply: (_, verdict) => verdict },
    },
    { policy: () => policy },
  )
  const decide = createServiceDecider(
    {
      clock,
      log,
      events,
      journal,
      evaluator: asking,
      applier: {
        apply({ id }, { verdict }) {
          const hash = Uint8Array.from(Buffer.from(policy.hash, 'hex'))
          journal.verdicts.add({ service: id, at: clock.now(), policy: hash, verdict })
          return { verdict, stopped: undefined, displaced: [] }
        },
        standBy: () => undefined,
        drained: () => undefined,
        unpark: () => {},
      },
      dormitory: { eventCounter: () => 0 },
      receipts: { sign: () => new Uint8Array(), send: () => {}, take: async () => {}, views: () => [] },
      counters: createRuleCounters({ clock, log }),
      texts,
      orders: { apply: (_, verdict) => verdict },
    },
    { closing: closing.signal },
  )
  const network = parts.use(
    await createNetwork(
      {
        clock,
        rng,
        log,
        events,
        recordValidator: trust.recordValidator,
      },
      {
        network: 'bench',
        identity: key,
        listen: ['/ip4/127.0.0.1/tcp/0'],
        visibility: 'private',
        dht: false,
        keepPeers: false,
      },
    ),
  )
  const intake = parts.use(
    createIntake(
      {
        clock,
        log,
        events,
        journal,
        keys,
        decider: decide,
        mesh: {
          publish: (bytes, options) => network.gossip.publish(bytes, options),
          offer: (items) => network.sync.offer(items),
          pull: (peer, ids) => network.sync.pullFrom(peer, ids),
        },
        score: { delivered: (peer) => network.peerScores.reward(peer) },
      },
      {
        network: 'bench',
        redirectionDepth: () => policy.config.REDIRECTION_DEPTH,
        quotas: {
          servicesPerAuthor: quotas.SERVICES_PER_AUTHOR,
          newPerAuthorPerMinute: quotas.NEW_PER_AUTHOR_PER_MINUTE,
          newAuthorsPerPeerPerMinute: quotas.NEW_AUTHORS_PER_PEER_PER_MINUTE,
          journalMax: quotas.JOURNAL_MAX_SERVICES,
          queueMax: quotas.QUEUE_MAX,
          deferredMax: quotas.MISSED_MAX,
        },
        verdictTimeoutMs: timeouts.VERDICT * 1000,
      },
    ),
  )
  // verified, decided and journalled: the verdict's event comes last
  events.on('node:verdict', ({ id }) => decided(id))
  await network.join(meshHandlers(intake, trust))
  intake.boot()
  return { network, intake, parts: parts.move() }
}

/** User and system time of a process, in the 100 ticks a second that Linux counts. */
function cpuSecondsOf(pid: number | undefined): number {
  if (pid === undefined) return 0
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / 100
}
