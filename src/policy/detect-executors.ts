import { tmpdir } from 'node:os'
import { executorViewOf, forRunner } from '../admission/facts/node-facts.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Rng } from '../base/rng.ts'
import { dockerEnvironment, type Env, type Policy, runtimeInit } from '../config/index.ts'
import { createExecutors } from '../execution/executors.ts'
import type { AvailableExecutor } from '../runner/index.ts'

/** Executors that are asked and never used: nothing is created in these folders. */
const NOBODY = { own: '', peerId: 'policy', logs: { maxBytes: 1, keep: 1, retainSeconds: 1 } }

/** The executors that are on this machine now, as a runner's snapshot has them. */
export async function detectExecutors(
  components: { clock: Clock; rng: Rng; log: Log },
  init: { policy: Policy; env: Env; dir?: string | undefined; signal?: AbortSignal | undefined },
): Promise<AvailableExecutor[]> {
  const { policy, env, dir = tmpdir(), signal } = init
  const [runtime, docker] = [runtimeInit(undefined, env), dockerEnvironment(env)]
  await using found = await createExecutors(components, {
    configuration: { dir, dataDir: tmpdir(), runtime, policy, dockerEnvironment: docker },
    ...NOBODY,
  })
  const seen = await Promise.all(found.executors.map((executor) => executorViewOf(executor, signal)))
  return seen.filter(({ available }) => available).map(forRunner)
}
