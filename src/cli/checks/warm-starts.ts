import { warmStarts } from '../../admission/facts/warm-starts.ts'
import type { ExecutorName } from '../../base/verdict.ts'
import type { RunnerConfig } from '../../config/index.ts'
import { type Check, ok, warn } from './check.ts'

const WHAT = 'warm starts'
const ADVICE = 'run the node as root, or take it out of LIMITS.WARM'
const WHERE: Partial<Record<ExecutorName, string>> = { docker: 'in Docker', host: 'on the host' }

/** Where a node on this machine keeps what LIMITS.WARM asks for, and what of it it cannot. None: it asks for nothing. */
export function checkWarmStarts(
  config: RunnerConfig,
  { root, available }: { root: boolean; available: ReadonlySet<ExecutorName> },
): Check[] {
  const { gateways, classes, executors } = warmStarts(config)
  if (gateways === 0 && classes.length === 0) return []
  const able = executors.filter((name) => WHERE[name] !== undefined)
  if (able.length === 0)
    return [
      warn(
        WHAT,
        'PREFER_TOOLCHAIN lists no executor that keeps them',
        'list "node.js" there, or take it out of LIMITS.WARM',
      ),
    ]
  const keeper = able.find((name) => available.has(name))
  if (keeper === undefined) {
    const found = 'nothing is kept warm, since no executor that PREFER_TOOLCHAIN lists can be used now'
    return [warn(WHAT, found, 'see the lines above')]
  }
  if (root) return [ok(WHAT, `kept ${WHERE[keeper]}${keeper === able[0] ? '' : ', since Docker cannot be used now'}`)]
  if (keeper === 'host') return [warn(WHAT, 'this user is not root: the host keeps nothing warm', ADVICE)]
  return classes.length === 0
    ? [ok(WHAT, 'kept in Docker')]
    : [warn(WHAT, 'this user is not root: Docker keeps gateways only, and the host nothing', ADVICE)]
}
