import { raceSignal } from 'race-signal'
import { errnoOf, originalError, UnavailableError } from '../../base/errors.ts'
import { createSingleFlight } from '../../base/single-flight.ts'
import { BuildFailedError } from '../errors.ts'
import type { Plan } from '../types.ts'
import { buildKey } from './build-key.ts'
import { lastLinesOf, repeatLines } from './build-log.ts'
import type { BuildNetwork } from './build-network.ts'
import { createKnownFailures } from './known-failures.ts'
import { createBuildLeftovers } from './leftovers.ts'
import { type Draft, type Output, type OutputStore, openOutputStore } from './output-store.ts'
import { runBuild } from './run-build.ts'
import { createBuildEgress } from './serve-build.ts'
import type { BuildRequest, Builds, BuildsComponents, BuildsInit, ObtainedBuild } from './types.ts'

/** `by`: the run that it was built for; undefined where it was there. */
type Made = { readonly output: Output; readonly by: string | undefined }
type Job = BuildRequest & { readonly key: string; readonly builder: string }

export function createBuilds(components: BuildsComponents, init: BuildsInit): Builds {
  const { clock, journal, userIds, internet } = components
  const flights = createSingleFlight<Made>()
  const failures = createKnownFailures(clock)
  /** the ids of builds under way */
  const building = new Set<string>()
  /** the runs whose log has the lines of a failed build */
  const saidBy = new WeakMap<Error, string>()
  const leftovers = createBuildLeftovers(components, { onRemoved: (buildId) => userIds?.release(buildId) })
  const waysOut = new Set<{ revise(): void }>()
  let opening: Promise<OutputStore> | undefined

  function opened(): Promise<OutputStore> {
    opening ??= open()
    opening.catch(() => {
      opening = undefined
    })
    return opening
  }

  async function open(): Promise<OutputStore> {
    const unfinished = new Set(journal.unfinished().map(({ runId }) => runId))
    const { dir, maxBytes } = init
    return openOutputStore(components, { dir, maxBytes, isUnfinished: (runId) => unfinished.has(runId) })
  }

  async function find(store: OutputStore, job: Job, signal: AbortSignal): Promise<Made> {
    const failed = failures.find(job.key)
    if (failed !== undefined) {
      const until = new Date(failed.until).toISOString().replace(/\.\d+Z$/, 'Z')
      throw new BuildFailedError(`${failed.message}; the same build is not tried again before ${until}`)
    }
    const found = await store.find(job.key, { signal })
    return found === undefined ? build(store, job, signal) : { output: found, by: undefined }
  }

  async function build(store: OutputStore, job: Job, signal: AbortSignal): Promise<Made> {
    const { key, runId, executor, plan, builder, note } = job
    const startedAt = Math.floor(clock.now())
    await using draft = await store.draft(key)
    building.add(plan.runId)
    try {
      await leftovers.takeOver(plan.runId)
      // a user of its own: it may outlive the run that it began for
      const uid = userIds?.claim(plan.runId, { within: executor.userIds?.() }) ?? plan.uid
      const limits = { afterMs: init.timeoutMs, graceMs: 0 }
      const placed = { ...withNetwork(plan), uid, codeDir: draft.dir, lifetime: limits }
      const network = () => init.network(plan.author)
      const wayOut = createBuildEgress(components, { plan: placed, network, internet, note })
      waysOut.add(wayOut)
      const { timeoutMs } = init
      const { serve } = wayOut
      const remove = (handle: unknown) => leftovers.remove(plan.runId, () => executor.remove(handle))
      const input = { clock, executor, plan: placed, source: job.codeDir, timeoutMs, signal, serve, remove }
      await runBuild(input).finally(() => waysOut.delete(wayOut))
      if ((await executor.builderId(plan)) !== builder) {
        throw new UnavailableError('what builds it was replaced meanwhile; it is built again')
      }
      return { output: await keep(draft, signal), by: runId }
    } catch (error) {
      if (error instanceof BuildFailedError) {
        saidBy.set(error, runId)
        if (!error.isPassing && !signal.aborted) {
          failures.add(key, { message: error.message, lines: await lastLinesOf(plan, { clock, since: startedAt }) })
        }
      }
      throw error
    } finally {
      building.delete(plan.runId)
      if (!leftovers.has(plan.runId)) userIds?.release(plan.runId)
    }
  }

  /** What its registries need; the service's own environment goes before. */
  function withNetwork(plan: Plan): Plan {
    const { egress, env, files } = init.network(plan.author)
    return { ...plan, egress, files, env: { ...env, ...plan.env } }
  }

  async function keep(draft: Draft, signal: AbortSignal): Promise<Output> {
    try {
      return await draft.keep({ signal })
    } catch (cause) {
      const code = errnoOf(cause)
      if (signal.aborted || code === undefined || code === 'ENOSPC' || code === 'EDQUOT') throw cause
      throw new BuildFailedError(`what the build left cannot be read (${code})`)
    }
  }

  async function obtain(request: BuildRequest): Promise<ObtainedBuild> {
    const { runId, executor, plan, code, signal } = request
    const store = await raceSignal(opened(), signal)
    const builder = await raceSignal(executor.builderId(plan), signal)
    const key = buildKey({ code, plan, network: keyOf(init.network(plan.author)), builder })
    const job = { ...request, key, builder }
    try {
      const { output, by } = await flights.run(key, (shared) => find(store, job, shared), { signal })
      const held = store.isPinned(output, runId)
      if (!(await store.pin(output, runId))) throw new UnavailableError('the output of the build has just been evicted')
      return { dir: output.dir, origin: originOf(by, runId, held) }
    } catch (thrown) {
      const error = originalError(thrown)
      await flights.abandoned(key)
      const lines = failures.find(key)?.lines ?? []
      if (error instanceof BuildFailedError && !signal.aborted && saidBy.get(error) !== runId) {
        await repeatLines(plan, lines, { clock, logs: init.logs })
      }
      throw error
    } finally {
      await store.evict()
    }
  }

  return {
    async open() {
      await opened()
    },
    obtain,
    async release(runId) {
      const store = await opened()
      await store.unpin(runId)
      await store.evict()
    },
    reviseNetworks() {
      for (const wayOut of waysOut) wayOut.revise()
    },
    isBuilding: (buildId) => building.has(buildId),
    async [Symbol.asyncDispose]() {
      await flights[Symbol.asyncDispose]()
      await leftovers[Symbol.asyncDispose]()
    },
  }
}

/** What of a network a build can see. */
function keyOf({ policy, env, files }: BuildNetwork): unknown {
  return [policy.hosts.map(({ host, port }) => `${host}:${port}`), env, files]
}

function originOf(by: string | undefined, runId: string, held: boolean): ObtainedBuild['origin'] {
  if (by === undefined) return held ? 'held' : 'cached'
  return by === runId ? 'built' : 'shared'
}
