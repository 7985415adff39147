import { chmod, chown, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, deadline } from '../../../base/clock.ts'
import { TimeoutError, UnavailableError } from '../../../base/errors.ts'
import type { Plan, WarmClass } from '../../types.ts'
import { createMounter } from '../../warm/mounter.ts'
import { CODE, type DockerHandle } from '../container-options.ts'
import type { Engine } from '../engine.ts'
import { attachOutput } from '../output/log-copier.ts'
import { BOOTSTRAP_FILE, CONTAINER_BOOTSTRAP } from './bootstrap.ts'
import type { WarmPaths } from './folders.ts'
import { openPipes } from './pipes.ts'
import type { IdleProgram } from './types.ts'

const READY_MS = 30_000

export type IdleProgramInit = {
  readonly handle: DockerHandle
  readonly paths: WarmPaths
  readonly uid: number
  readonly cpuMillicores: number
  /** Makes its container, which has not begun then. */
  create(): Promise<void>
}

/** What its container is made from: all that a grant of the class has, and a program of ours in the place of the author's. */
export function idlePlan(
  id: string,
  {
    warmClass,
    uid,
    paths,
    cpuMillicores,
  }: Pick<IdleProgramInit, 'uid' | 'paths' | 'cpuMillicores'> & { warmClass: WarmClass },
): Plan {
  const { memoryBytes, diskBytes, pids } = warmClass
  return {
    ...{ runId: id, service: '', author: '', purpose: 'run', uid, codeDir: paths.shown, env: {}, workdir: '' },
    ...{ ports: [], toolchain: ['node.js'], command: ['node', join(CODE, BOOTSTRAP_FILE)], logDir: '' },
    grant: { executor: 'docker', network: { mode: 'none' }, memoryBytes, diskBytes, pids, cpuMillicores },
  }
}

export async function startIdleProgram(
  { engine, clock }: { engine: Engine; clock: Clock },
  { handle, paths, uid, cpuMillicores, create }: IdleProgramInit,
): Promise<IdleProgram> {
  await mkdir(paths.own, { recursive: true, mode: 0o755 })
  await mkdir(paths.staging)
  await chmod(paths.own, 0o755)
  await writeFile(join(paths.own, BOOTSTRAP_FILE), CONTAINER_BOOTSTRAP, { mode: 0o644 })
  await chown(paths.own, uid, uid)
  const pipes = await openPipes(clock, paths.own, uid)
  try {
    await create()
    const output = await attachOutput(engine, handle.name)
    output.on('error', () => {})
    await engine.ask((docker) => docker.getContainer(handle.name).start())
    using limit = deadline(clock, READY_MS, new TimeoutError('a program is not idle in time'))
    limit.signal.addEventListener('abort', () => pipes.close(), { once: true })
    if ((await pipes.answer().catch(() => undefined)) !== 'ready')
      throw new UnavailableError('its program ended, or the engine shows it no pipe')
    // read on, or its end would not be seen
    const answer = pipes.answer()
    answer.catch(() => {})
    pipes.rest()
    return { uid, cpuMillicores, pipes, mounter: createMounter(clock), output, answer }
  } catch (error) {
    pipes.close()
    throw error
  }
}
