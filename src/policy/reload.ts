import type { Admission } from '../admission/admission.ts'
import type { Applied } from '../admission/views.ts'
import { messageOf, UnavailableError } from '../base/errors.ts'
import type { Emitter } from '../base/events.ts'
import type { Configuration, Policy } from '../config/index.ts'
import type { Network } from '../network/index.ts'
import type { RunnerHost } from '../runner/index.ts'
import type { Trust } from '../trust/index.ts'
import type { PolicyEvents } from './events.ts'
import type { PolicyHistory } from './history.ts'

export interface ReloadComponents {
  events: Emitter<PolicyEvents>
  runner: Pick<RunnerHost, 'reload'>
  network: Pick<Network, 'setStaticNodes'>
  trust: Pick<Trust, 'policyChanged'>
  /** The operator's own services. */
  configuredServices: { look(): Promise<void> }
  admission: Pick<Admission, 'reevaluateAll'>
  history: Pick<PolicyHistory, 'note'>
}

export type ReloadInit = {
  reread: (() => Promise<Configuration>) | undefined
  /** a host that other nodes share keeps its module */
  ownRunner: boolean
  configuration(): Configuration
  /** This configuration is in force from here on. */
  enforce(configuration: Configuration): void
}

/** Reads again what can change while the node runs: the policy, the static nodes, the operator's services. */
export function createReload(components: ReloadComponents, init: ReloadInit): () => Promise<Applied> {
  const { events, runner, network, trust, configuredServices, admission, history } = components
  async function read(reread: () => Promise<Configuration>): Promise<Configuration> {
    try {
      const next = await reread()
      await runner.reload(next.policy.config, init.ownRunner ? next.runner : undefined)
      return next
    } catch (error) {
      events.emit('node:policy-refused', { reason: messageOf(error) })
      throw error
    }
  }

  return async () => {
    if (init.reread === undefined) throw new UnavailableError('this node was started without a folder to read again')
    const next = await read(init.reread)
    const { services, externalServices, policy, clientRegistries } = next
    const changed = { runner: next.runner, policy, services, externalServices, clientRegistries }
    init.enforce({ ...init.configuration(), ...changed })
    network.setStaticNodes(staticNodesOf(policy))
    history.note(policy.text)
    events.emit('node:policy', { hash: policy.hash })
    trust.policyChanged()
    await configuredServices.look()
    return await admission.reevaluateAll()
  }
}

/** Multiaddrs, and origins that are asked for theirs. */
export function staticNodesOf({ staticNodes }: Policy): string[] {
  return [...staticNodes.multiaddrs, ...staticNodes.origins]
}
