import type { StatsFs } from 'node:fs'
import { lstat, readdir, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { CLOCK_SKEW_SECONDS } from '../../../protocols/limits.ts'
import { type Clock, deadline } from '../../base/clock.ts'
import { errnoOf, messageOf, TimeoutError } from '../../base/errors.ts'
import { formatBytes, formatMs, joinWords } from '../../base/format.ts'
import { type Log, silentLog } from '../../base/log.ts'
import type { Rng } from '../../base/rng.ts'
import type { ExecutorName } from '../../base/verdict.ts'
import { type Configuration, dockerEnvironment, type Env, readPolicy, runtimeInit } from '../../config/index.ts'
import type { Availability } from '../../execution/index.ts'
import { type Check, fail, ok, warn } from './check.ts'
import { programAdvice } from './programs.ts'

const MIN_NODE = 24
const FULL_NODE = 26
const LOW_DISK_BYTES = 1024 ** 3
const ORIGIN_MS = 3_000
/** Origins that are asked what time it is. */
const MAX_ORIGINS = 5
/** Nothing is created by asking: the folders of these executors stay empty. */
const NOBODY = { own: '', peerId: 'doctor', logs: { maxBytes: 1, keep: 1, retainSeconds: 1 } }

const WHAT = { docker: 'Docker engine', host: 'host sandbox', pool: 'pools', swarm: 'Docker Swarm' } as const

export function checkNodeVersion(version: string): Check {
  const major = Number(version.split('.')[0])
  if (major < MIN_NODE) return fail('Node.js', version, `install ${FULL_NODE} or newer`)
  if (major < FULL_NODE)
    return warn('Node.js', version, `${FULL_NODE} keeps runners and fallback runs from the network, this one cannot`)
  return ok('Node.js', version)
}

export type ExecutorChecks = { readonly checks: readonly Check[]; readonly available: ReadonlySet<ExecutorName> }

/** Docker, the host's sandbox and the pools of this peer, asked in the very way in which a node asks. */
export async function checkExecutors(
  clock: Clock,
  configuration: Pick<Configuration, 'dir' | 'dataDir' | 'runtime' | 'policy' | 'dockerEnvironment'> | undefined,
  { env, rng, signal, peerId }: { env: Env; rng: Rng; signal: AbortSignal; peerId?: string | undefined },
): Promise<ExecutorChecks> {
  const nowhere = {
    dir: tmpdir(),
    dataDir: tmpdir(),
    runtime: runtimeInit(undefined, env),
    policy: readPolicy({}).policy,
    dockerEnvironment: dockerEnvironment(env),
  }
  const log: Log = silentLog()
  // an engine's client is not loaded for commands that ask no engine
  const { createExecutors } = await import('../../execution/executors.ts')
  const settings = { configuration: configuration ?? nowhere, ...NOBODY, poolsOf: peerId }
  await using found = await createExecutors({ clock, rng, log }, settings)
  const config = configuration?.policy.config
  const listed = config?.PREFER_TOOLCHAIN.host ?? []
  const [available, named] = [new Set<ExecutorName>(), config?.CONTAINERS ?? []]
  const checks = await Promise.all(
    [...found.executors, found.pool].map(async (executor) => {
      const what = WHAT[executor.name]
      const view = await executor.available({ signal })
      if (view.available) available.add(executor.name)
      const { detail, unenforcedLimits, ownOnly, advice = programAdvice(view.toolchains, listed) } = view
      // who uses no pools misses none
      if (!view.available && executor.name === 'pool' && named.length === 0)
        return ok(what, `CONTAINERS names none; ${detail}`)
      if (!view.available) return warn(what, detail)
      const absent = executor.name === 'pool' ? absentPools(named, view.pools) : []
      if (absent.length > 0)
        return warn(
          what,
          `CONTAINERS names ${joinWords(absent)}; there is no such pool; ${detail}`,
          `make it: thundercloud pool create ${absent[0]} --image IMAGE`,
        )
      const found = unenforcedLimits.length === 0 ? detail : `${detail} (not enforced: ${unenforcedLimits.join('; ')})`
      if (ownOnly === true) return warn(what, found, "until then only the node's own services run here")
      return advice === undefined ? ok(what, found) : warn(what, found, advice)
    }),
  )
  return { checks, available }
}

/** Those of CONTAINERS that the engine does not have: nothing runs in them. */
function absentPools(named: readonly string[], there: Availability['pools'] = []): string[] {
  return named.filter((name) => !there.some((pool) => pool.name === name))
}

/** A clock that is wrong by two minutes makes a node ignore everyone, and everyone ignore the node. */
export async function checkClock(
  clock: Clock,
  facts: { folder?: string | undefined; origins: readonly string[] },
): Promise<Check> {
  const what = 'clock'
  const ahead = (await newestFile(facts.folder)) - clock.now()
  if (ahead > CLOCK_SKEW_SECONDS * 1000) {
    return fail(what, `files of the folder are from the future, by ${formatMs(ahead)}`, 'set the clock, best by NTP')
  }
  const asked = facts.origins.slice(0, MAX_ORIGINS).map(async (origin) => {
    const off = await clockOffset(clock, origin)
    return off === undefined ? [] : [{ origin, off }]
  })
  const answers = (await Promise.all(asked)).flat().sort((a, b) => a.off - b.off)
  const [low, high] = [answers[(answers.length - 1) >> 1], answers[answers.length >> 1]]
  if (low === undefined || high === undefined) {
    const now = new Date(clock.now()).toISOString()
    return ok(what, `${now}; not compared: no static node with an HTTP origin answered`)
  }
  // of two in the middle the one that agrees: one server with a wrong clock proves nothing
  const { off, origin } = Math.abs(low.off) <= Math.abs(high.off) ? low : high
  const others = answers.length === 1 ? '' : ` (the median of ${answers.length} static nodes)`
  const found = `${formatMs(Math.abs(off))} ${off > 0 ? 'behind' : 'ahead of'} ${origin}${others}`
  return Math.abs(off) > (CLOCK_SKEW_SECONDS / 2) * 1000
    ? fail(what, found, 'set the clock, best by NTP')
    : ok(what, found)
}

/** `folder` may not be there yet: then the disk is asked on which it will be. */
export async function checkDisk(folder: string): Promise<Check> {
  try {
    const { bavail, bsize } = await statfsAbove(folder)
    const free = bavail * bsize
    return free < LOW_DISK_BYTES
      ? warn('disk', `${formatBytes(free)} free`, 'free disk space for code and logs')
      : ok('disk', `${formatBytes(free)} free`)
  } catch (error) {
    return warn('disk', messageOf(error))
  }
}

async function statfsAbove(folder: string): Promise<StatsFs> {
  return statfs(folder).catch((error) => {
    const above = dirname(folder)
    if (errnoOf(error) !== 'ENOENT' || above === folder) throw error
    return statfsAbove(above)
  })
}

async function newestFile(folder: string | undefined): Promise<number> {
  if (folder === undefined) return 0
  const names = await readdir(folder).catch(() => [])
  const times = await Promise.all(
    names.map((name) =>
      lstat(join(folder, name)).then(
        (info) => info.mtimeMs,
        () => 0,
      ),
    ),
  )
  return Math.max(0, ...times)
}

/** How far that node's clock is ahead of this one, in ms; undefined where it does not say. Exact to a second. */
async function clockOffset(clock: Clock, origin: string): Promise<number | undefined> {
  using patience = deadline(clock, ORIGIN_MS, new TimeoutError('no answer'))
  try {
    const response = await fetch(new URL('/health', origin), {
      method: 'HEAD',
      redirect: 'error',
      signal: patience.signal,
    })
    const date = Date.parse(response.headers.get('date') ?? '')
    return Number.isNaN(date) ? undefined : date - clock.now()
  } catch {
    return undefined
  }
}
