import { type Admission, createAdmission } from '../../admission/admission.ts'
import { createNodeFacts, type NodeFactsSource } from '../../admission/facts/node-facts.ts'
import { createIntake, type Intake } from '../../intake/index.ts'
import type { Network } from '../../network/index.ts'
import { staticNodesOf } from '../../policy/reload.ts'
import { isOwnService } from '../../publishing/service-signer.ts'
import { createRunnerHost, type RunnerHost } from '../../runner/index.ts'
import type { CodeOrigins } from '../../services/code-origins.ts'
import type { NodeComponents } from '../types.ts'
import type { NodeContext } from './context.ts'
import type { Execution } from './execution.ts'
import type { Mesh } from './mesh.ts'
import { quotasOf } from './network-config.ts'

export type AdmissionPipeline = {
  readonly facts: NodeFactsSource
  readonly runner: RunnerHost
  readonly admission: Admission
  readonly intake: Intake
}

/** From a service that arrives to what happens with it. */
export function createAdmissionPipeline(
  context: NodeContext,
  { network, trust, blocks }: Mesh,
  execution: Execution,
  components: Pick<NodeComponents, 'runnerHost'>,
): AdmissionPipeline {
  const { clock, rng, log, events, journal, platform, own, texts, policy, closing, parts } = context
  const { serviceCode, executors, supervisor, receipts, services, notify, peerStatus, siblings } = execution
  const { machine } = platform
  const granted = () => supervisor.granted()
  const isOwn = (id: string) => isOwnService(services.get(id), own, context.configuration())
  const facts = parts.use(
    createNodeFacts(
      { clock, log, events, executors, machine, services, texts, granted, isOwn },
      { own, policy, clientRegistries: () => context.configuration().clientRegistries },
    ),
  )
  const runner = components.runnerHost ?? parts.use(createRunner(context))
  const admission = parts.use(
    createAdmission(
      {
        clock,
        rng,
        log: log.child('decide'),
        events,
        journal,
        facts,
        runner,
        supervisor,
        receipts,
        services,
        trust,
        prefetch: serviceCode.prefetch,
        texts,
        notify,
        claimMesh: { ...peerStatus.claimMesh, inUse: siblings.inUse },
        claims: execution.claims,
        drain: execution.drain,
        pause: execution.pause,
        blocks,
        disconnect: network.disconnect,
      },
      {
        policy,
        closing,
        self: network.peerId,
        expectsPeers: () => staticNodesOf(policy()).length > 0,
      },
    ),
  )
  siblings.follow(admission.claimants)
  serviceCode.beforeRun((id, options) => admission.trustWatcher.recheck(id, options))
  const intake = parts.use(createServiceIntake(context, network, admission, execution.codeOrigins))
  events.on('admission:redirect-changed', ({ id, redirect }) => intake.setRedirect(id, redirect))
  return { facts, runner, admission, intake }
}

function createRunner({ clock, log, events, configuration }: NodeContext): RunnerHost {
  const { runner, policy, timeouts } = configuration()
  const { entry, dir, network } = runner
  return createRunnerHost(
    { clock, log: log.child('runner'), events },
    { entry, dir, config: policy.config, network, limits: { timeoutMs: timeouts.VERDICT * 1000 } },
  )
}

function createServiceIntake(
  { clock, log, events, journal, keys, networkName: name, configuration, policy, closing }: NodeContext,
  network: Network,
  { decide }: Pick<Admission, 'decide'>,
  codeOrigins: Pick<CodeOrigins, 'forget'>,
): Intake {
  return createIntake(
    {
      clock,
      log: log.child('intake'),
      events,
      journal,
      keys,
      decider: decide,
      mesh: {
        publish: (bytes, { to }) => network.gossip.publish(bytes, { to, signal: closing }),
        offer: (items) => network.sync.offer(items),
        pull: (peer, ids) => network.sync.pullFrom(peer, ids, { signal: closing }),
      },
      score: { delivered: (peer) => network.peerScores.reward(peer) },
      onForgotten: codeOrigins.forget,
    },
    {
      network: name,
      redirectionDepth: () => policy().config.REDIRECTION_DEPTH,
      quotas: quotasOf(configuration()),
      verdictTimeoutMs: configuration().timeouts.VERDICT * 1000,
    },
  )
}
