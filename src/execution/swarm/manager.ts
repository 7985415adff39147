import { z } from 'zod'
import { LABEL, LABEL_ROLE } from '../constants.ts'
import { type Engine, statusOf } from '../docker/engine.ts'
import {
  LABEL_NODE,
  type LauncherInput,
  launcherService,
  type RunLauncherInput,
  sweepService,
} from './service-options.ts'
import type { SwarmTask } from './types.ts'

const taskSchema = z.object({
  ID: z.string(),
  CreatedAt: z.string(),
  DesiredState: z.string(),
  NodeID: z.string().optional(),
  Status: z.object({
    State: z.string(),
    Timestamp: z.string(),
    Err: z.string().optional(),
    Message: z.string().optional(),
    ContainerStatus: z.object({ ContainerID: z.string().optional() }).optional(),
  }),
})

const serviceSchema = z.object({
  ID: z.string(),
  Spec: z.object({ Name: z.string(), Labels: z.record(z.string(), z.string()) }),
})

const machineSchema = z.object({
  ID: z.string(),
  Spec: z.object({ Availability: z.string() }),
  Status: z.object({ State: z.string() }),
})

/** A service of this node. */
export type SwarmService = {
  readonly id: string
  readonly name: string
  readonly role: string
  readonly runId: string
  readonly service: string
}

/** What this node has in the swarm, by the manager's word: services, keys, and the network of the launchers. */
export type Manager = ReturnType<typeof createManager>

export function createManager({ engine, nodeId }: { engine: Engine; nodeId: string }) {
  const { ask, askMaybe } = engine
  const networkName = `thundercloud-${nodeId}`
  const mine = { [LABEL_NODE]: nodeId }
  const ofRun = (runId: string) => [`${LABEL_NODE}=${nodeId}`, `${LABEL.run}=${runId}`]
  let network: Promise<string> | undefined

  async function ensureNetwork(): Promise<string> {
    const found = await askMaybe((docker) => docker.getNetwork(networkName).inspect())
    if (found !== undefined) return found.Id as string
    // nothing is encrypted twice, and no machine needs a kernel that can: the tunnels are encrypted from end to end
    const options = { Name: networkName, Driver: 'overlay', Internal: true, Attachable: true, Labels: mine }
    return (await ask((docker) => docker.createNetwork(options))).id
  }

  async function services(label: readonly string[] = [`${LABEL_NODE}=${nodeId}`]): Promise<SwarmService[]> {
    const found = await ask((docker) => docker.listServices({ filters: JSON.stringify({ label }) }))
    return z
      .array(serviceSchema)
      .parse(found)
      .map(({ ID, Spec: { Name, Labels } }) => ({
        id: ID,
        name: Name,
        role: Labels[LABEL_ROLE] ?? '',
        runId: Labels[LABEL.run] ?? '',
        service: Labels[LABEL.service] ?? '',
      }))
  }

  async function removeService({ id, name }: Pick<SwarmService, 'id' | 'name'>): Promise<void> {
    await askMaybe((docker) => docker.getService(id).remove())
    await askMaybe((docker) => docker.getSecret(name).remove())
  }

  return {
    services,
    removeService,
    /** The id of the launchers' network, which no run is in. */
    async network(): Promise<string> {
      network ??= ensureNetwork()
      network.catch(() => {
        network = undefined
      })
      // it may have been removed since
      const id = await network
      if ((await askMaybe((docker) => docker.getNetwork(id).inspect())) !== undefined) return id
      network = undefined
      return ensureNetwork()
    },
    /** Fine where something is still on it, and where there is none. */
    async removeNetwork(): Promise<void> {
      network = undefined
      await askMaybe((docker) => docker.getNetwork(networkName).remove()).catch(() => {})
    },
    servicesOf: (runId: string) => services(ofRun(runId)),
    /** Begins the launcher of a run. */
    async launch(input: Omit<RunLauncherInput, 'secret'> & { key: Buffer }): Promise<void> {
      const labels = { ...mine, [LABEL.run]: input.plan.runId }
      const secret = await ask((docker) =>
        docker.createSecret({ Name: input.name, Labels: labels, Data: input.key.toString('base64') }),
      )
      const options = await launcherService({ ...input, secret: secret.id })
      await ask((docker) => docker.createService(options))
    },
    /** Of keys whose service was never made, or is gone: those of this run. */
    async removeSecrets(runId: string): Promise<void> {
      const filters = JSON.stringify({ label: ofRun(runId) })
      const left = await ask((docker) => docker.listSecrets({ filters }))
      for (const { ID } of left as { ID: string }[]) await askMaybe((docker) => docker.getSecret(ID).remove())
    },
    /** Begins a sweep of one machine. False where one is under way. */
    async sweep(input: LauncherInput & { machine: string }): Promise<boolean> {
      const options = await sweepService(input)
      try {
        await ask((docker) => docker.createService(options))
        return true
      } catch (error) {
        if (statusOf(error) === 409) return false
        throw error
      }
    },
    /** The newest task of a service; undefined where it has none yet. */
    async taskOf(service: Pick<SwarmService, 'id' | 'name'>): Promise<SwarmTask | undefined> {
      const filters = JSON.stringify({ service: [service.id] })
      const found = await askMaybe((docker) => docker.listTasks({ filters }))
      const tasks = z.array(taskSchema).parse(found ?? [])
      const newest = tasks.toSorted((a, b) => (a.CreatedAt < b.CreatedAt ? 1 : -1))[0]
      return newest && taskView(newest, service.name)
    },
    /** The ids of the machines that take tasks now. */
    async machines(): Promise<string[]> {
      const nodes = z.array(machineSchema).parse(await ask((docker) => docker.listNodes()))
      return nodes
        .filter(({ Spec, Status }) => Spec.Availability === 'active' && Status.State === 'ready')
        .map(({ ID }) => ID)
    },
  }
}

function taskView({ ID, DesiredState, NodeID, Status }: z.output<typeof taskSchema>, service: string): SwarmTask {
  return {
    id: ID,
    service,
    state: Status.State,
    wanted: DesiredState === 'running' || DesiredState === 'ready',
    reason: (Status.Err ?? Status.Message ?? '').slice(0, 300),
    since: Date.parse(Status.Timestamp),
    machine: NodeID || undefined,
    container: Status.ContainerStatus?.ContainerID || undefined,
  }
}

const OVER = new Set(['complete', 'shutdown', 'failed', 'rejected', 'remove', 'orphaned'])

/** It does not run, and will not. Of a machine that is away the swarm says it once it has given it up. */
export function isOver({ state, wanted }: SwarmTask): boolean {
  return OVER.has(state) || !wanted
}
