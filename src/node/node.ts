import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { formatAddress } from '../../protocols/address.ts'
import { createKeyCache } from '../../protocols/signature.ts'
import { type Admission, createAdmission } from '../admission/admission.ts'
import { totalLimits } from '../admission/capacity.ts'
import { systemMachine } from '../admission/host-resources.ts'
import { createNodeFacts, type NodeFactsSource } from '../admission/node-facts.ts'
import { createAddressTexts } from '../base/address-texts.ts'
import { messageOf, NotFoundError, UnavailableError } from '../base/errors.ts'
import { createEvents } from '../base/events.ts'
import { lockFolder } from '../base/pid-lock.ts'
import { createCode } from '../code/index.ts'
import type { Configuration } from '../config/index.ts'
import { createExecutors } from '../execution/executors.ts'
import { createSupervisor, type Supervisor } from '../execution/index.ts'
import { createIntake, type Intake } from '../intake/index.ts'
import { openJournal } from '../journal/index.ts'
import { createNetwork, type Network } from '../network/index.ts'
import { createPolicyManager } from '../policy/manager.ts'
import { createAutostart } from '../publishing/configured-services.ts'
import { createPins } from '../publishing/published-pins.ts'
import { createPublisher } from '../publishing/publisher.ts'
import { createServiceSigner, isOwnService } from '../publishing/service-signer.ts'
import { createRunnerHost } from '../runner/index.ts'
import type { Trust } from '../trust/index.ts'
import type { NodeEvents } from './events.ts'
import { createFacade } from './facade.ts'
import { serveStreams } from './handlers/index.ts'
import { createReload } from './reload.ts'
import type { NodeComponents, NodeInit, ThundercloudNode } from './types.ts'
import { createCodeProvider, providersOf } from './wiring/code-provider.ts'
import { createNodeHub } from './wiring/hub/hub.ts'
import { meshHandlers } from './wiring/mesh-handlers.ts'
import { networkInitOf, quotasOf } from './wiring/network-config.ts'
import { createReporting } from './wiring/reporting.ts'
import { watchRuns } from './wiring/run-events.ts'
import { createRunCount } from './wiring/service-peers.ts'
import { createNodeTrust } from './wiring/trust.ts'
import { openUserIds } from './wiring/user-ids.ts'

/** A run's log: eight files of 4 MiB, kept for a week after its end. */
const LOGS = { maxBytes: 4 * 1024 * 1024, keep: 7, retainSeconds: 7 * 24 * 3600 }

/** Makes the parts in the order in which they need each other. When one cannot start, those that have are stopped again. */
export async function start(components: NodeComponents, init: NodeInit): Promise<ThundercloudNode> {
  const { clock, rng, log } = components
  const { identity } = init
  const signer = identity.signer
  const own = formatAddress(signer.address)
  let configuration: Configuration = init.configuration
  const { network: name, dataDir, quotas, timeouts } = configuration
  const [now, policy] = [() => configuration, () => configuration.policy]
  const startedAt = clock.monotonic()
  const closing = new AbortController()
  await using parts = new AsyncDisposableStack()

  // also where the start fails half-way
  parts.defer(() => closing.abort(new UnavailableError('the node has stopped')))
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  parts.use(await lockFolder(dataDir))
  const events = createEvents<NodeEvents>((error) => log.error('a listener failed', { reason: messageOf(error) }))
  const texts = createAddressTexts()
  const keys = components.keys ?? createKeyCache()
  const journal = parts.use(openJournal({ path: join(dataDir, 'journal.sqlite'), clock, log: log.child('journal') }))
  const runner = components.runnerHost ?? parts.use(createOwnRunner())
  const servicesInUse = () => admission.trustWatcher.servicesInUse()
  const trust: Trust = parts.use(
    createNodeTrust(
      { clock, rng, log, events, journal, keys, network: () => network, servicesInUse },
      { network: name, signer, policy, closing: closing.signal },
    ),
  )
  const network: Network = parts.use(
    await createNetwork(
      { clock, rng, log: log.child('network'), events, recordValidator: trust.recordValidator },
      networkInitOf(configuration, identity.key, init),
    ),
  )
  const isConnected = (peer: string) => network.connectedTo(peer)
  const replyTo = () => network.multiaddrs().slice(0, 4)

  const code = parts.use(
    await createCode(
      {
        clock,
        rng,
        log: log.child('code'),
        events,
        streams: network.streams,
        providers: providersOf(network),
        onInvalidData: (peer) => network.peerScores.penalize(peer),
      },
      { dir: join(dataDir, 'code'), maxBytes: quotas.CODE_STORE, self: network.peerId },
    ),
  )
  const { receipts, services, notify } = createReporting(
    {
      ...{ clock, rng, log, events, journal, keys, signer, streams: network.streams, isConnected, texts },
      supervisor: () => supervisor,
      sleeping: (id) => admission.parkedState(id),
    },
    { network: name, policy, closing: closing.signal },
  )
  const { executors } = parts.use(
    await createExecutors(
      { clock, log: log.child('execution') },
      { configuration, own, peerId: network.peerId, logs: LOGS },
    ),
  )
  const codeProvider = createCodeProvider({
    ...{ code, network, services, journal, trust },
    settled: (...asked) => admission.trustWatcher.settled(...asked),
  })
  const supervisor: Supervisor = parts.use(
    createSupervisor(
      {
        clock,
        rng,
        log: log.child('execution'),
        events,
        journal: journal.runs,
        executors,
        code: codeProvider,
        userIds: await openUserIds({ rng }, configuration),
      },
      {
        dirs: { logs: join(dataDir, 'logs'), builds: join(dataDir, 'builds') },
        limits: () => totalLimits(policy().config),
        healthyMs: () => policy().config.LIMITS.HEALTHY_SECONDS * 1000,
        logs: { ...LOGS, totalBytes: quotas.LOGS },
        graceMs: timeouts.STOP * 1000,
        stopOnClose: init.stopRunsOnClose === true,
      },
    ),
  )
  const facts: NodeFactsSource = parts.use(
    createNodeFacts(
      {
        clock,
        log,
        executors,
        machine: components.machine ?? systemMachine(dataDir),
        services,
        texts,
        granted: () => supervisor.granted(),
        isOwn: (id) => isOwnService(services.get(id), own, configuration),
        onCapacityGrown: () => admission.dormitory.wake({ on: 'capacity' }),
        onExecutorAvailable: (executor) => admission.dormitory.wake({ on: 'executor', executor }),
      },
      { own, policy },
    ),
  )
  const admission: Admission = parts.use(
    createAdmission(
      {
        clock,
        log: log.child('decide'),
        events,
        journal,
        facts,
        runner,
        supervisor,
        receipts,
        services,
        trust,
        prefetch: codeProvider.ahead,
        texts,
        notify,
        setRedirect: (id, redirect) => intake.setRedirect(id, redirect),
        count: createRunCount({ clock, keys, network, receipts }, { network: name }),
      },
      { policy, closing: closing.signal },
    ),
  )
  const { decide, reevaluation } = admission
  const intake: Intake = parts.use(
    createIntake(
      {
        clock,
        log: log.child('intake'),
        events,
        journal,
        keys,
        decider: decide,
        mesh: {
          publish: (bytes, options) => network.gossip.publish(bytes, { ...options, signal: closing.signal }),
          offer: (items) => network.sync.offer(items),
          pull: (peer, ids) => network.sync.pullFrom(peer, ids, { signal: closing.signal }),
        },
        score: { delivered: (peer) => network.peerScores.reward(peer) },
      },
      {
        network: name,
        redirectionDepth: () => policy().config.REDIRECTION_DEPTH,
        quotas: quotasOf(configuration),
        verdictTimeoutMs: timeouts.VERDICT * 1000,
      },
    ),
  )
  const ownServices = createServiceSigner({ clock, rng, log, journal, signer, code, replyTo }, { network: name })
  const pins = parts.use(createPins({ clock, code, journal }))
  const publisher = createPublisher(
    { clock, log, journal, intake, network, services, decide, pins },
    { closing: closing.signal },
  )
  const autostart = parts.use(
    createAutostart(
      {
        clock,
        log,
        own: ownServices,
        facts,
        runs: supervisor,
        publisher,
        texts,
        stopped: (id) => journal.stops.has(id),
      },
      { configuration: now, closing: closing.signal },
    ),
  )
  parts.use(watchRuns({ clock, log, events, network, services, notify, supervisor, code }, { closing: closing.signal }))

  const reload = createReload(
    { events, runner, network, trust, autostart, admission },
    {
      reread: init.reread,
      ownRunner: components.runnerHost === undefined,
      configuration: now,
      enforce: (next) => {
        configuration = next
      },
    },
  )

  const logs: ThundercloudNode['logs'] = (text, options) => {
    const { id, run, record } = services.find(text)
    if (run !== undefined) return supervisor.logs(id, options)
    throw new NotFoundError(
      `"${record.name}" has not run on this node; \`thundercloud logs ${record.name}\` with its author's key reads them where it ran`,
    )
  }
  await serveStreams({ clock, keys, events, network, services, receipts, code, supervisor, logs }, { network: name })
  if (components.runnerHost === undefined) await runner.start()
  await Promise.all([supervisor.boot({ signal: closing.signal }), facts.refresh()])
  publisher.resume()
  await network.join(meshHandlers(intake, trust))
  intake.boot()
  trust.boot()
  parts.use(await createNodeHub({ clock, rng, log, events, code, network, services, texts, journal, trust }, init))
  parts.defer(() => {
    events.emit('node:stopping', {})
    closing.abort(new UnavailableError('the node is stopping'))
  })
  // the operator's own services take their room first
  const booted = autostart.look().then(() => admission.boot())
  booted.catch((error: unknown) => log.error('what is parked could not be taken up', { reason: messageOf(error) }))

  const running = parts.move()
  const node = createFacade(
    {
      clock,
      events,
      journal,
      network,
      services,
      facts,
      receipts,
      decide,
      supervisor,
      code,
      intake,
      publisher,
      own: ownServices,
      trust,
      policyEngine: createPolicyManager({ clock, log, reevaluation, runner, trust, reload }, { configuration: now }),
      admission,
      keys,
    },
    {
      version: init.version,
      network: name,
      own,
      startedAt,
      logs,
      reload,
      close: () => running.disposeAsync(),
    },
  )
  events.emit('node:started', { peerId: network.peerId, address: own, multiaddrs: network.multiaddrs() })
  return node

  function createOwnRunner() {
    const { entry, dir, network: mayUseNetwork } = configuration.runner
    return createRunnerHost(
      { clock, log: log.child('runner'), events },
      { entry, dir, config: policy().config, network: mayUseNetwork, limits: { timeoutMs: timeouts.VERDICT * 1000 } },
    )
  }
}
