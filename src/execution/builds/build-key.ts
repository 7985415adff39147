import { createHash } from 'node:crypto'
import type { Plan } from '../types.ts'

export type BuildKeyInput = {
  /** CID of the code that is built */
  readonly code: string
  readonly plan: Pick<Plan, 'toolchain' | 'command' | 'workdir' | 'env' | 'grant'>
  /** the registries that it reaches, and what tells it so, as JSON values */
  readonly network: unknown
  /** `Executor.builderId` of this plan */
  readonly builder: string
}

/**
 * Everything that a build can see, as one name: builds of one key run the same command on the same code under the same
 * limits, so whoever asked for it, each may have the output of the other. The limits are part of it, because a build that
 * lacks memory may end with another output and say that it succeeded. The name is a hash: it does not show the environment.
 */
export function buildKey({ code, plan, network, builder }: BuildKeyInput): string {
  const { toolchain, command, workdir, env, grant } = plan
  const { memoryBytes, cpuMillicores, diskBytes, pids } = grant
  const variables = Object.entries(env).sort(([a], [b]) => (a < b ? -1 : 1))
  const limits = [memoryBytes, cpuMillicores, diskBytes, pids]
  const seen = [VERSION, code, toolchain, command, workdir, variables, limits, network, builder]
  return createHash('sha256').update(JSON.stringify(seen)).digest('hex')
}

/** Raised when builds are run in another way, so that what they made before is not used any more. */
const VERSION = 2
