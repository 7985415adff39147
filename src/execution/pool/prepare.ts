import { chmod, chown, lchown, mkdir, readdir, realpath, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import type { Clock } from '../../base/clock.ts'
import { UnavailableError } from '../../base/errors.ts'
import { findProgram, runProcess } from '../../process/index.ts'
import { inodesFor, MAX_OPEN_FILES, SHM_BYTES, TMP_BYTES } from '../constants.ts'
import { egressListeners, hostsEntries } from '../egress-targets.ts'
import { RunRefusedError } from '../errors.ts'
import { SANDBOX_ETC } from '../host/bubblewrap.ts'
import { giveTo, makeVisible } from '../host/prepare.ts'
import { runFiles, type ShimSpec, writeJson } from '../host/run-files.ts'
import { limitsOf } from '../logs/limits.ts'
import type { LogLimits } from '../logs/writer.ts'
import type { Plan } from '../types.ts'
import { PIPES } from './command.ts'
import { SHIM_THREADS } from './container.ts'
import { KEPT, LOG, tool, WORK } from './scripts.ts'
import { toolsAt } from './tools.ts'

/** What an adopter learns about a run in a pool. JSON. */
export type PoolRunSpec = ShimSpec & {
  readonly pool: string
  readonly uid: number
  /** version of what it was begun with */
  readonly tools: string
  /** folder of what it keeps */
  readonly data?: string | undefined
}

const PIPE_MS = 10_000
/** Root in a pool may not open what only its owner may; nobody but the two finds a way to it. */
export const FOR_ALL = 0o666
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

export type PreparePoolRunInit = {
  readonly plan: Plan
  readonly handle: { readonly dir: string; readonly socket: string }
  readonly pool: string
  readonly uid: number
  readonly tools: string
  /** folder of what it keeps, where the pool has data */
  readonly data?: string | undefined
  /** what the pool's image sets */
  readonly imageEnv: readonly string[]
  readonly codeDirs: readonly string[]
  readonly logsDir: string
  readonly logs: LogLimits
}

/** Writes the files of a run, and answers the command that begins it in its pool, as root there. */
export async function preparePoolRun(clock: Clock, input: PreparePoolRunInit): Promise<string[]> {
  const { plan, handle, uid, tools, data, imageEnv } = input
  const { grant, codeDir = '', ports, egress, check } = plan
  const files = runFiles(handle.dir)
  const listeners = egress === undefined ? [] : egressListeners(egress, ports)
  await mkdir(plan.logDir, { recursive: true, mode: 0o700 })
  const [code, log] = [await below(input.codeDirs, codeDir), await below([input.logsDir], plan.logDir)]
  if (code === undefined || log === undefined)
    throw new RunRefusedError(`a pool shows runs what lies in ${input.codeDirs.join(' and ')} only`)
  await makeVisible(codeDir)
  await makePipes(
    clock,
    PIPES.map((name) => join(handle.dir, name)),
  )
  await mkdir(files.etc, { mode: 0o755 })
  const about = { uid, hosts: hostsEntries(listeners) }
  for (const name of ['passwd', 'group', 'hosts'] as const) {
    await writeFile(join(files.etc, name), SANDBOX_ETC[name](about))
    await chmod(join(files.etc, name), 0o644)
  }
  await writeJson(files.plan, {
    ...{ runId: plan.runId, service: plan.service, purpose: plan.purpose, pool: input.pool, uid, tools, data },
    ...{ socket: handle.socket, listen: 's', ports, lifetime: plan.lifetime, logDir: LOG },
    ...{ command: plan.command, env: {}, cwd: '/', sandboxed: true, cgroup: { version: 1, dirs: {} } },
    ...(egress === undefined ? {} : { egress: { listeners, proxyPort: egress.proxyPort } }),
    ...(check === undefined ? {} : { checks: true }),
    ...(plan.outputs === undefined ? {} : { outputs: { ...plan.outputs, work: WORK } }),
    disk: WORK,
    watchMemory: grant.memoryBytes,
    logLimits: limitsOf('run', input.logs, grant.diskBytes),
  } satisfies PoolRunSpec)
  await giveTo(uid, handle.dir, plan.logDir)
  await giveEach(uid, files.etc)
  const at = toolsAt(tools)
  const begin = [
    ...tool(at, 'unshare'),
    '--net',
    '--ipc',
    '--uts',
    '--mount',
    '--',
    ...tool(at, 'sh'),
    `${at}/enter.sh`,
    at,
  ]
  const folder = plan.workdir === '' ? '/code' : `/code/${plan.workdir}`
  const limits = [`${grant.pids + SHIM_THREADS}`, `${MAX_OPEN_FILES}`]
  const work = scratch(grant.diskBytes, uid)
  const scratches = [scratch(TMP_BYTES, uid, 'noexec'), scratch(SHM_BYTES, uid, 'noexec')]
  const env = environment(plan, imageEnv, data)
  const init = [...tool(at, 'sh'), `${at}/init.sh`, at, (check ?? []).map(quoted).join(' ')]
  const id = handle.dir.slice(handle.dir.lastIndexOf('/') + 1)
  return [
    ...begin,
    id,
    log,
    code,
    `${uid}`,
    work,
    data ?? '',
    ...scratches,
    ...limits,
    folder,
    ...env,
    ...init,
    ...plan.command,
  ]
}

/** Where a folder of this machine is in a pool: by the folder that it lies in, and its path below that. */
async function below(roots: readonly string[], dir: string): Promise<string | undefined> {
  const path = await realpath(dir).catch(() => dir)
  for (const [index, root] of roots.entries()) {
    const within = relative(await realpath(root).catch(() => root), path)
    if (within !== '' && !within.startsWith('..')) return roots.length === 1 ? within : `${index}/${within}`
  }
  return undefined
}

async function makePipes(clock: Clock, paths: readonly string[]): Promise<void> {
  const program = findProgram('mkfifo')
  if (program === undefined) throw new UnavailableError('a pool needs the program "mkfifo": install coreutils')
  const { exitCode, stderr } = await runProcess(clock, { kind: 'tool', program, args: paths }, { timeoutMs: PIPE_MS })
  if (exitCode !== 0) throw new UnavailableError(`mkfifo: ${stderr.trim()}`)
  for (const path of paths) await chmod(path, FOR_ALL)
}

async function giveEach(uid: number, dir: string): Promise<void> {
  await chown(dir, uid, uid)
  for (const name of await readdir(dir)) await lchown(join(dir, name), uid, uid)
}

function scratch(bytes: number, uid: number, more = 'exec'): string {
  const limits = `size=${Math.max(4096, bytes)},nr_inodes=${inodesFor(bytes)}`
  return `rw,${more},nosuid,nodev,${limits},mode=0700,uid=${uid},gid=${uid}`
}

function environment(plan: Plan, imageEnv: readonly string[], data: string | undefined): string[] {
  const kept = data === undefined ? {} : { THUNDERCLOUD_DATA: KEPT }
  const own = { HOME: '/work', TMPDIR: '/tmp', LANG: 'C.UTF-8', ...kept, ...plan.env }
  return [`PATH=${DEFAULT_PATH}`, ...imageEnv, ...Object.entries(own).map(([name, value]) => `${name}=${value}`)]
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`
}
