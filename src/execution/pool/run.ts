import { constants } from 'node:fs'
import { rename, rm, writeFile } from 'node:fs/promises'
import type { Clock } from '../../base/clock.ts'
import { isAlive } from '../../base/os/process-identity.ts'
import type { Engine } from '../docker/engine.ts'
import { isGatewayOpen } from '../gateway/client.ts'
import { type HostHandle, hostRun, shimProcessOf } from '../host/run.ts'
import { readEnd, readJson, runFiles, type ShimIdentity } from '../host/run-files.ts'
import type { AdoptedRun } from '../types.ts'
import { execToEnd, pidWithArgument } from './exec.ts'
import type { PoolRunSpec } from './prepare.ts'
import { tool } from './scripts.ts'

/** Where a run in a pool is found again. JSON. */
export type PoolHandle = Pick<HostHandle, 'dir' | 'socket'> & { readonly pool: string }

/** The folder is the run's user's: no link there is followed, and no pipe waited for. */
const REWRITE = constants.O_WRONLY | constants.O_TRUNC | constants.O_NOFOLLOW | constants.O_NONBLOCK
/** For the kernel to end the processes of a user. */
const END_MS = 20_000
/** All of a user's processes at once, in one call: none can be born meanwhile. Then until none is left. */
const END_ALL = `left() {
  for status in /proc/[0-9]*/status; do
    pid=\${status#/proc/}; [ "\${pid%/status}" = $$ ] || while read -r key value rest; do
      case $key$value in State:Z) break;; Uid:$uid) return 0;; Uid:*) break;; esac
    done <$status
  done 2>/dev/null
  return 1
}
uid=$4; kill -s KILL -- -1
while left; do "$1" --library-path "$2" "$3" 0.02; kill -s KILL -- -1; done`

export function poolRun(handle: PoolHandle, startedAt: number, clock: Clock) {
  // it has no control group of its own
  return { ...hostRun({ ...handle, cgroup: { version: 1, dirs: {} } }, startedAt, clock), handle }
}

/** What a run's folder says of it; undefined where nothing was begun. `begun`: by this process. */
export async function lookAtRun(handle: PoolHandle, begun: boolean, clock: Clock): Promise<AdoptedRun | undefined> {
  const files = runFiles(handle.dir)
  const voided = !begun && (await renamed(files.plan, files.void))
  const plan = (await readJson<PoolRunSpec>(files.taken)) ?? (await readJson<PoolRunSpec>(files.void))
  if (plan === undefined) return undefined
  const taken = !voided && (await readJson(files.taken)) !== undefined
  const shim = taken ? await shimProcessOf(files) : undefined
  const startedAt = (await readJson<ShimIdentity>(files.identity))?.startedAt ?? clock.now()
  const { runId, service, purpose } = plan
  const ended = (await readEnd(files)) !== undefined
  const alive = !ended && shim !== undefined && isAlive(shim)
  const state = !taken ? 'prepared' : alive ? 'running' : 'ended'
  return { runId, service, purpose, state, run: poolRun({ ...handle, socket: plan.socket }, startedAt, clock) }
}

/** A node that is killed between beginning a run and noting its process leaves that to the next one. */
export async function noteProcess(engine: Engine, container: string, { dir, socket }: PoolHandle): Promise<void> {
  const files = runFiles(dir)
  if ((await shimProcessOf(files)) !== undefined || !(await isGatewayOpen(socket).catch(() => false))) return
  const pid = await pidWithArgument(engine, container, dir.slice(dir.lastIndexOf('/') + 1))
  if (pid === undefined) return
  // where it is no file any more, the run counts as ended
  await writeFile(files.status, statusOf(pid), { flag: REWRITE }).catch(() => {})
}

export function statusOf(pid: number): string {
  return `{ "child-pid": ${pid} }\n`
}

/** Ends whatever is left of a run and forgets it. `pool`: its container, where that runs. */
export async function removePoolRun(
  { engine, clock }: { engine: Engine; clock: Clock },
  handle: PoolHandle,
  pool: { readonly container: string; readonly tools: string } | undefined,
): Promise<void> {
  const files = runFiles(handle.dir)
  await renamed(files.plan, files.void)
  const plan = (await readJson<PoolRunSpec>(files.taken)) ?? (await readJson<PoolRunSpec>(files.void))
  if (plan !== undefined && pool !== undefined) {
    const [loader = '', , libraries = '', sleep = ''] = tool(pool.tools, 'sleep')
    const command = [...tool(pool.tools, 'sh'), '-c', END_ALL, 'sh', loader, libraries, sleep, `${plan.uid}`]
    await execToEnd(engine, pool.container, { user: `${plan.uid}:${plan.uid}`, command, clock, timeoutMs: END_MS })
  }
  for (const socket of [handle.socket, plan?.socket]) if (socket !== undefined) await rm(socket, { force: true })
  await rm(handle.dir, { recursive: true, force: true })
}

function renamed(from: string, to: string): Promise<boolean> {
  return rename(from, to).then(
    () => true,
    () => false,
  )
}
