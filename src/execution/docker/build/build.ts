import { type Clock, sleep } from '../../../base/clock.ts'
import { overDiskText } from '../../build-limit.ts'
import { CONNECT_RETRY_MS, GATEWAY_START_MS } from '../../constants.ts'
import { RunRefusedError } from '../../errors.ts'
import { requestGateway } from '../../gateway/client.ts'
import type { Plan, RunEnd } from '../../types.ts'
import type { CodeVolumes } from '../code-volumes.ts'
import type { DockerHandle } from '../container-options.ts'
import type { EngineLocality } from '../engine-locality.ts'
import type { Gateways } from '../gateways.ts'

type BuildInput = {
  readonly clock: Clock
  readonly gateways: Gateways
  readonly codeVolumes: CodeVolumes
  readonly handle: DockerHandle
  readonly locality: EngineLocality
  readonly plan: Plan & { readonly codeDir: string }
}

/** A build writes into a file system of its own; what it has made within its limits is fetched from there. */
export async function completeBuild(
  input: BuildInput,
  ended: Promise<RunEnd>,
  signal: AbortSignal | undefined,
): Promise<RunEnd> {
  const { codeVolumes, gateways, handle, plan } = input
  const maxBytes = plan.grant.diskBytes
  try {
    const end = await ended
    if (end.reason !== 'exit') return end
    if (await wasDiskFull(input, signal)) return { ...end, exitCode: end.exitCode || 1, detail: overDiskText(maxBytes) }
    if (end.exitCode === 0) await codeVolumes.fetchBuilt({ codeDir: plan.codeDir, maxBytes }, handle)
    return end
  } catch (error) {
    // An archive that is larger than granted.
    if (error instanceof RunRefusedError) return { exitCode: 1, reason: 'exit', detail: error.message }
    throw error
  } finally {
    gateways.close(handle)
  }
}

/** The gateway has looked all the time. One that does not answer has just been started, or is gone. */
async function wasDiskFull(
  { clock, gateways, handle, locality, plan }: BuildInput,
  signal?: AbortSignal,
): Promise<boolean> {
  const endpoint = gateways.endpoint({ handle, plan, locality, gatewayFirst: true })
  const until = clock.monotonic() + GATEWAY_START_MS
  while (clock.monotonic() < until) {
    const answer = await requestGateway(endpoint, { disk: true }, signal).catch(() => undefined)
    signal?.throwIfAborted()
    if (answer !== undefined) return answer === 'full'
    await sleep(clock, CONNECT_RETRY_MS, { signal })
  }
  return false
}

export type CodePlan = Plan & { readonly codeDir: string }
/** `Plan`, or what an adopter knows of it. */
export type RunPlan = Plan | Pick<Plan, 'runId' | 'service' | 'ports' | 'logDir' | 'lifetime'>

export function hasCode(plan: Plan): plan is CodePlan {
  return plan.codeDir !== undefined
}

/** One that was adopted is not waited for: it is started again. */
export function isBuild(plan: RunPlan): plan is CodePlan {
  return 'purpose' in plan && plan.purpose === 'build' && hasCode(plan)
}
