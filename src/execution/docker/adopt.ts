import { rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import type Docker from 'dockerode'
import { LABEL, LABEL_ROLE } from '../constants.ts'
import type { AdoptedRun, Run } from '../types.ts'
import { type DockerHandle, nodeFilter } from './container-options.ts'
import { type Engine, removeContainer, renameContainer } from './engine.ts'
import { earlierGateway, nameOfRun } from './folders.ts'
import { finishedRun } from './run.ts'
import { type LabelledRun, parseRunLabels } from './run-labels.ts'
import { readRunLabels } from './warm/run-labels-file.ts'
import type { DockerWarmStarts } from './warm/warm-starts.ts'

export type Adoption = {
  readonly engine: Engine
  readonly nodeId: string
  readonly warm: DockerWarmStarts
  /** runs that are being started: what there is of them is not lost */
  readonly beginning: ReadonlySet<string>
  handleOf(runId: string): DockerHandle
  runOf(labelled: LabelledRun, began: { startedAt: number; beganAt: number | undefined; gatewayFirst: boolean }): Run
  now(): number
}

type Found = { readonly id: string; readonly labelled: LabelledRun; readonly warm: boolean }

/** Everything of this node that its engine has; what is of no run and waits for none is removed. `alive`: the runs, and those that are being started. */
export async function adoptRuns(components: Adoption): Promise<{ adopted: AdoptedRun[]; alive: Set<string> }> {
  const { engine, nodeId, warm, beginning, handleOf } = components
  const filters = nodeFilter(nodeId)
  const list = () => engine.ask((docker) => docker.listContainers({ all: true, filters }))
  let containers = await list()
  const earlier = containers.map(({ Names }) => earlierGateway(Names)).filter((one) => one !== undefined)
  for (const { from, to } of earlier) await renameContainer(engine, from, to)
  if (earlier.length > 0) containers = await list()
  const found = (await Promise.all(containers.map((container) => foundRun(components, container)))).filter(
    (run) => run !== undefined,
  )
  const alive = new Set([...beginning, ...found.map(({ labelled }) => labelled.plan.runId)])
  for (const container of containers) {
    const { Id, Labels } = container
    const isProbe = Labels[LABEL_ROLE] === 'probe' && beginning.size > 0
    // one that was there before its run has the run's name only
    const runIds = [Labels[LABEL.run], nameOfRun(container.Names)].filter((runId) => runId !== undefined)
    if (isProbe || runIds.some((runId) => alive.has(runId) || warm.isIdle(runId))) continue
    await removeContainer(engine, Id)
    for (const runId of runIds) await rm(dirname(handleOf(runId).socket), { recursive: true, force: true })
  }
  const adopted = await Promise.all(found.map((run) => adoptRun(components, run)))
  await warm.sweep([...alive].map(handleOf))
  return { adopted: adopted.flat(), alive }
}

async function foundRun(
  { handleOf }: Adoption,
  { Id, Names, Labels }: Docker.ContainerInfo,
): Promise<Found | undefined> {
  const warm = Labels[LABEL_ROLE] === 'warm'
  const runId = nameOfRun(Names)
  const record = warm && runId !== undefined ? await readRunLabels(handleOf(runId)) : undefined
  const labelled = parseRunLabels(record ?? Labels)
  return labelled === undefined ? undefined : { id: Id, labelled, warm }
}

async function adoptRun(components: Adoption, { id, labelled, warm }: Found): Promise<AdoptedRun[]> {
  const { engine, handleOf, runOf, beginning, now } = components
  const info = await engine.askMaybe((docker) => docker.getContainer(id).inspect())
  if (info === undefined) return []
  const { runId, service } = labelled.plan
  const { purpose } = labelled
  const never = warm && !beginning.has(runId) && !(await components.warm.hasTaken(handleOf(runId)))
  if (info.State.Status === 'created' || never) {
    return [{ runId, service, purpose, state: 'prepared', run: preparedRun(handleOf(runId), now()) }]
  }
  const run = runOf(labelled, {
    startedAt: labelled.startedAt ?? Date.parse(info.State.StartedAt),
    beganAt: labelled.startedAt,
    gatewayFirst: info.HostConfig.NetworkMode?.startsWith('container:') === true,
  })
  return [{ runId, service, purpose, state: info.State.Running ? 'running' : 'ended', run }]
}

function preparedRun(handle: DockerHandle, now: number): Run {
  return finishedRun(handle, now, { exitCode: 125, reason: 'stopped', detail: 'it was never started' })
}
