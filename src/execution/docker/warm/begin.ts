import { chown, rename, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { type Clock, deadline } from '../../../base/clock.ts'
import { TimeoutError } from '../../../base/errors.ts'
import { egressListeners } from '../../egress-targets.ts'
import { mountTable } from '../../host/sandbox-root.ts'
import type { Plan, ReadOnlyMount } from '../../types.ts'
import { messageFor } from '../../warm/bootstrap.ts'
import type { WarmProgram } from '../../warm/types.ts'
import type { DockerHandle } from '../container-options.ts'
import { type Engine, renameContainer } from '../engine.ts'
import { gatewaySettings } from '../gateway-options.ts'
import { MESSAGE_FILE } from './bootstrap.ts'
import type { WarmFolders, WarmPaths } from './folders.ts'
import { hasTakenMessage } from './has-taken-message.ts'
import { writeHosts } from './hosts-file.ts'
import { type RunLabels, writeRunLabels } from './run-labels-file.ts'
import type { IdleProgram, WarmContainer } from './types.ts'

const BEGIN_MS = 30_000

export type BeginInit = {
  readonly plan: Plan & { readonly codeDir?: string | undefined }
  readonly handle: DockerHandle
  readonly record: RunLabels
}

type Components = { readonly engine: Engine; readonly clock: Clock; readonly folders: WarmFolders }

/** Makes the gateway the run's. Answers the hosts file for the container that joins it. */
export async function beginGateway(
  { engine }: Components,
  { handle: idle, gateway }: WarmContainer,
  { plan, handle }: Pick<BeginInit, 'plan' | 'handle'>,
): Promise<ReadOnlyMount> {
  const dir = dirname(handle.socket)
  await rename(dirname(idle.socket), dir)
  const listeners = plan.egress === undefined ? [] : egressListeners(plan.egress, plan.ports)
  const [hosts] = await Promise.all([
    writeHosts(handle, listeners),
    gateway.begin(dir, gatewaySettings({ plan, lifetime: plan.lifetime })),
    renameContainer(engine, idle.gateway, handle.gateway),
  ])
  return hosts
}

/** Makes gateway and container the run's, and begins the program. Answers why it has not begun, and then it never will. */
export async function beginProgram(
  components: Components,
  { warm, idle }: { warm: WarmContainer; idle: IdleProgram },
  { plan, handle, record }: BeginInit & { readonly plan: { readonly codeDir: string } },
  program: WarmProgram,
): Promise<string | undefined> {
  const { engine, clock, folders } = components
  const name = basename(dirname(handle.socket))
  await folders.rename(basename(dirname(warm.handle.socket)), name)
  const paths = folders.paths(name)
  await Promise.all([
    beginGateway(components, warm, { plan, handle }).then(() => undefined),
    writeMessage(paths, plan.codeDir, idle.uid, program),
    updateCpu(engine, warm.handle.name, idle.cpuMillicores, plan.grant.cpuMillicores),
  ])
  await writeRunLabels(handle, record)
  await Promise.all([
    renameContainer(engine, warm.handle.name, handle.name),
    idle.mounter.mount(paths.table, { staging: paths.staging }),
  ])
  using limit = deadline(clock, BEGIN_MS, new TimeoutError('a warm container does not answer'))
  limit.signal.addEventListener('abort', () => idle.pipes.close(), { once: true })
  idle.pipes.order()
  const answer = await idle.answer.catch(() => undefined)
  idle.pipes.close()
  // the order can still be read; without the message it begins nothing
  if (answer === 'begun' || (await hasTakenMessage(paths.own))) return undefined
  return answer ?? 'a warm container has ended'
}

async function writeMessage(
  { own, staging, shown, table }: WarmPaths,
  codeDir: string,
  uid: number,
  program: WarmProgram,
) {
  const message = join(own, MESSAGE_FILE)
  const mounts = mountTable([
    { kind: 'bind', from: codeDir, to: staging },
    // a bind of a bind has its flags from its first moment
    { kind: 'bind', from: staging, to: shown },
  ])
  await Promise.all([
    writeFile(message, messageFor(program), { mode: 0o600 }).then(() => chown(message, uid, uid)),
    writeFile(table, mounts, { mode: 0o600 }),
  ])
}

async function updateCpu(engine: Engine, name: string, has: number, wanted: number): Promise<void> {
  if (has !== wanted) await engine.ask((docker) => docker.getContainer(name).update({ NanoCpus: wanted * 1_000_000 }))
}
