import type { ExecutorName, LISTED_EXECUTORS } from '../../base/verdict.ts'
import type { RunnerConfig } from './runner-schema.ts'

/**
 * The executor of a list of PREFER_TOOLCHAIN. With DOCKER_CONFIGS.SWARM what the `docker` list grants goes to the machines of the
 * swarm, and nothing is left to the engine that manages it.
 */
export function executorOfList(
  list: (typeof LISTED_EXECUTORS)[number],
  { DOCKER_CONFIGS }: Pick<RunnerConfig, 'DOCKER_CONFIGS'>,
): ExecutorName {
  return list === 'docker' && DOCKER_CONFIGS.SWARM ? 'swarm' : list
}
