import type { RunnerConfig } from '../../config/index.ts'
import type { HealthSettings } from '../../execution/index.ts'

/** LIMITS: what the policy says of the life of runs. */
export function healthSettings({ LIMITS }: RunnerConfig): HealthSettings {
  const { HEALTHY_SECONDS, HEALTHY_DEADLINE, CHECK, BACKOFF } = LIMITS
  return {
    healthyMs: HEALTHY_SECONDS * 1000,
    deadlineMs: HEALTHY_DEADLINE * 1000,
    check: { intervalMs: CHECK.INTERVAL * 1000, timeoutMs: CHECK.TIMEOUT * 1000, failures: CHECK.FAILURES },
    backoff: { firstMs: BACKOFF.FIRST * 1000, maxMs: BACKOFF.MAX * 1000 },
  }
}
