import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { createDrainState, type DrainState } from '../../admission/drain/drain-state.ts'
import { totalLimits } from '../../admission/facts/capacity.ts'
import { healthSettings } from '../../admission/facts/health-settings.ts'
import { warmStarts } from '../../admission/facts/warm-starts.ts'
import { createPauseState, type PauseState } from '../../admission/operator/pause.ts'
import { buildNetwork, createSupervisor, type Executor, type Pools, type Supervisor } from '../../execution/index.ts'
import { createOwnClaims, type OwnClaims } from '../../placement/index.ts'
import { createResults, type Results } from '../../results/index.ts'
import { createSiblings, type NodeSiblings } from '../../services/siblings.ts'
import { createSignedServices, type SignedServices } from '../../services/signed-services.ts'
import type { NodeInit } from '../types.ts'
import { createCodeProvider, type ServiceCode } from './code-provider.ts'
import type { NodeContext } from './context.ts'
import type { Mesh } from './mesh.ts'
import { createPeerStatus, type PeerStatus } from './peer-status.ts'
import { createReporting, type Reporting } from './reporting.ts'

/** A run's log: eight files of 4 MiB, kept for a week after its end. */
const LOGS = { maxBytes: 4 * 1024 * 1024, keep: 7, retainSeconds: 7 * 24 * 3600 }

/** One that waits for its engine does not keep a machine with one processor idle. */
const MIN_STARTS_AT_ONCE = 2

export type Execution = Reporting & {
  readonly signed: SignedServices
  readonly serviceCode: ServiceCode
  readonly executors: readonly Executor[]
  readonly pools: Pools
  readonly supervisor: Supervisor
  readonly peerStatus: PeerStatus
  readonly results: Results
  /** Claims of this node that are no runs yet. */
  readonly claims: OwnClaims
  readonly drain: DrainState
  readonly pause: PauseState
  readonly siblings: NodeSiblings
}

/** What runs services, and reports what becomes of them. Nothing runs before the supervisor boots. */
export async function createExecution(
  context: NodeContext,
  { network, trust, code }: Mesh,
  init: Pick<NodeInit, 'stopRunsOnClose'>,
): Promise<Execution> {
  const { clock, rng, log, events, journal, platform, own, policy, parts } = context
  const { disk, internet } = platform
  const configuration = context.configuration()
  const { dataDir, quotas, timeouts } = configuration
  const signed = createSignedServices({ journal })
  const serviceCode = createCodeProvider({ code, network, signed, journal, trust, own })
  const userIds = await platform.openUserIds(configuration)
  const { executors, pools } = parts.use(
    await platform.createExecutors(
      { clock, rng, log: log.child('execution'), userIds },
      { configuration, own, peerId: network.peerId, logs: LOGS },
    ),
  )
  const siblings = createSiblings({ clock }, network)
  const results = parts.use(
    await createResults(
      { clock, log: log.child('results'), disk },
      {
        dir: join(dataDir, 'results'),
        limits: () => {
          const { BYTES: bytes, SECONDS: seconds } = policy().config.LIMITS.RESULTS
          return { bytes, seconds }
        },
      },
    ),
  )
  const drain = createDrainState({ clock, meta: journal.meta })
  const pause = createPauseState({ clock, meta: journal.meta })
  const supervisor = parts.use(
    createSupervisor(
      {
        clock,
        rng,
        log: log.child('execution'),
        disk,
        events,
        journal: journal.runs,
        executors,
        code: serviceCode,
        outputs: results.keeper,
        internet,
        siblings,
        userIds,
      },
      {
        dirs: { logs: join(dataDir, 'logs'), builds: join(dataDir, 'builds') },
        builds: {
          maxBytes: quotas.BUILDS,
          timeoutMs: timeouts.BUILD * 1000,
          network: (author) =>
            buildNetwork(policy().config, { own: author === own, clients: context.configuration().clientRegistries }),
        },
        netcap: () => policy().config.NETCAP,
        limits: () => totalLimits(policy().config),
        // more at once would only make each of them slower
        startsAtOnce: Math.max(MIN_STARTS_AT_ONCE, availableParallelism()),
        health: () => healthSettings(policy().config),
        // a node that is drained or paused begins no run
        warm: () =>
          drain.active || pause.active ? { executors: [], classes: [], gateways: 0 } : warmStarts(policy().config),
        logs: { ...LOGS, totalBytes: quotas.LOGS },
        graceMs: timeouts.STOP * 1000,
        stopOnClose: init.stopRunsOnClose === true,
      },
    ),
  )
  parts.use(
    events.on('node:policy', () => {
      supervisor.reviseNetworks()
      supervisor.keepWarm({ renew: true })
    }),
  )
  parts.use(events.on('execution:state', ({ state }) => state === 'running' && supervisor.keepWarm()))
  for (const name of ['execution:freed', 'node:draining', 'node:undrained', 'node:paused', 'node:resumed'] as const) {
    parts.use(events.on(name, () => supervisor.keepWarm()))
  }
  const claims = createOwnClaims()
  const { codeOrigins, receipts, services, notify } = createReporting(context, {
    ...{ code, network, signed, supervisor, claims, drain, results },
  })
  const peerStatus = createPeerStatus(context, { network, receipts })
  return {
    ...{
      signed,
      serviceCode,
      executors,
      pools,
      supervisor,
      codeOrigins,
      receipts,
      services,
      notify,
      peerStatus,
      claims,
      drain,
      pause,
      siblings,
    },
    results,
  }
}
