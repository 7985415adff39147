import { messageOf, UnavailableError } from '../base/errors.ts'
import { createCodeRepair, verifyStoredCode } from '../code/index.ts'
import { createClaimCheck } from '../placement/index.ts'
import { createPolicyHistory } from '../policy/history.ts'
import { createPolicyManager } from '../policy/manager.ts'
import { createReload } from '../policy/reload.ts'
import { createNodeResults } from '../results/index.ts'
import { createFacade } from './facade.ts'
import { serveStreams } from './handlers/index.ts'
import { createServiceLogs } from './service-logs.ts'
import type { NodeComponents, NodeInit, ThundercloudNode } from './types.ts'
import { createAdmissionPipeline } from './wiring/admission.ts'
import { findSources, findSourcesOfCode } from './wiring/code-lookup.ts'
import { createExecution } from './wiring/execution.ts'
import { createNodeHub } from './wiring/hub/hub.ts'
import { createMesh, meshHandlers } from './wiring/mesh.ts'
import { createPublishing } from './wiring/publishing.ts'
import { watchRuns } from './wiring/run-events.ts'
import { openStorage } from './wiring/storage.ts'

/** Makes the parts in the order in which they need each other. When one cannot start, those that have are stopped again. */
export async function start(components: NodeComponents, init: NodeInit): Promise<ThundercloudNode> {
  const startedAt = components.clock.monotonic()
  const closing = new AbortController()
  await using parts = new AsyncDisposableStack()
  // also where the start fails half-way
  parts.defer(() => closing.abort(new UnavailableError('the node has stopped')))

  const context = await openStorage(components, init, { parts, closing: closing.signal })
  const mesh = await createMesh(context, init)
  const execution = await createExecution(context, mesh, init)
  const pipeline = createAdmissionPipeline(context, mesh, execution, components)
  const publishing = createPublishing(context, mesh, execution, pipeline)

  const { clock, rng, log, events, journal, keys, texts, own, networkName, configuration } = context
  const { network, trust, code } = mesh
  const { supervisor, services, codeOrigins, receipts, notify, signed, peerStatus, results } = execution
  const { facts, runner, admission, intake } = pipeline
  const { serviceSigner, publisher, configuredServices } = publishing
  const logs = createServiceLogs({ services, supervisor })
  const history = createPolicyHistory({ clock, log, journal })
  const reload = createReload(
    { events, runner, network, trust, configuredServices, admission, history },
    {
      reread: init.reread,
      ownRunner: components.runnerHost === undefined,
      configuration,
      enforce: context.enforce,
    },
  )

  // what runs is taken up before the mesh can say anything of it
  parts.use(watchRuns({ clock, log, events, network, services, notify, supervisor, code }, { closing: closing.signal }))
  await serveStreams(
    {
      ...{ clock, keys, events, network, services, receipts, code, supervisor, logs, results },
      onAsked: admission.onAsked,
      isSibling: createClaimCheck({ clock }, peerStatus.claimMesh),
    },
    { network: networkName },
  )
  if (components.runnerHost === undefined) await runner.start()
  await Promise.all([supervisor.boot({ signal: closing.signal, mayBegin: admission.mayBegin }), facts.refresh()])
  publisher.resume()
  history.note(configuration().policy.text)
  await network.join(meshHandlers(intake, trust))
  intake.boot()
  trust.boot(admission.trustWatcher.servicesInUse)
  parts.use(await createNodeHub({ clock, rng, log, events, code, network, signed, texts, journal, trust, own }, init))
  parts.defer(() => {
    events.emit('node:stopping', {})
    closing.abort(new UnavailableError('the node is stopping'))
  })
  // the operator's own services take their share first
  const booted = configuredServices.look().then(() => admission.boot())
  booted.catch((error: unknown) =>
    log.error('parked services could not be decided again', { reason: messageOf(error) }),
  )

  const lookup = { network, signed, journal, own }
  // the supervisor keeps the code of what goes on from an earlier process: what nobody keeps is not repaired, it goes
  const repair = createCodeRepair(
    { clock, rng, log, events, code },
    {
      findSources: (id, attempt, options) => findSourcesOfCode({ ...lookup, services }, id, attempt, options),
      closing: closing.signal,
    },
  )
  parts.use(repair)
  verifyStoredCode({ clock, log, store: code.store }, { closing: closing.signal })

  const running = parts.move()
  const node = createFacade(
    {
      clock,
      events,
      journal,
      network,
      services,
      facts,
      decide: admission.decide,
      supervisor,
      code,
      repair,
      codeOrigins,
      pools: execution.pools,
      findSources: (id, options) => findSources(lookup, id, options),
      intake,
      publisher,
      serviceSigner,
      trust,
      policyManager: createPolicyManager(
        { clock, log, reevaluation: admission.reevaluation, runner, trust, history, reload },
        { configuration },
      ),
      policyHistory: history,
      admission,
      keys,
      peerStatus,
      results: createNodeResults({ services, results }),
    },
    { version: init.version, networkName, own, startedAt, logs, reload, close: () => running.disposeAsync() },
  )
  events.emit('node:started', { peerId: network.peerId, address: own, multiaddrs: network.multiaddrs() })
  return node
}
