import type { RunnerConfig } from '../../config/index.ts'
import { type Check, warn } from './check.ts'

const ADVICE = 'run the node as root, or take it out of LIMITS.WARM'

/** What LIMITS.WARM asks for and a node of an ordinary user cannot keep. None: there is no such thing. */
export function checkWarmStarts(
  { LIMITS, PREFER_TOOLCHAIN }: Pick<RunnerConfig, 'LIMITS' | 'PREFER_TOOLCHAIN'>,
  { root }: { root: boolean },
): Check[] {
  const { GATEWAYS, 'node.js': classes } = LIMITS.WARM
  if (root || (GATEWAYS === 0 && classes.length === 0)) return []
  const { docker, host } = PREFER_TOOLCHAIN
  const keeps = (list: readonly string[]) => (classes.length > 0 ? list.includes('node.js') : list.length > 0)
  if (keeps(docker)) {
    if (classes.length === 0) return []
    return [warn('warm starts', 'this user is not root: Docker keeps gateways only, and the host nothing', ADVICE)]
  }
  return keeps(host) ? [warn('warm starts', 'this user is not root: the host keeps nothing warm', ADVICE)] : []
}
