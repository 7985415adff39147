import { join } from 'node:path'
import { isImageCid, parseCid } from '../../../protocols/encoding.ts'
import { formatSeconds } from '../../base/format.ts'
import type { RunRecord } from '../../base/run-record.ts'
import type { Grant } from '../../base/verdict.ts'
import { type PlanEgress, proxyVariables, SIBLINGS_VARIABLE, siblingsUrl } from '../egress-targets.ts'
import { FINAL_STATES } from '../journal.ts'
import type { PlanOutputs } from '../outputs.ts'
import { type RunNetwork, runEgress } from '../run-network.ts'
import type { Plan, RunnableService } from '../types.ts'

/** What the journal keeps of a decision; enough to carry it out after a restart. */
export type RunSpec = {
  readonly service: RunnableService
  readonly grant: Grant
  /** the user that it runs as, where the node can give it one of its own */
  readonly uid?: number | undefined
  /** the older version that ends when this one is healthy */
  readonly replaces?: string | undefined
  /** services that end first: it begins when their runs have ended */
  readonly evicts?: readonly string[] | undefined
}

export function runSpecOf(record: RunRecord): RunSpec {
  return record.plan as RunSpec
}

/** A service in an OCI image: its code is the image, named by the digest of its manifest. */
export function isImage({ code }: RunnableService): boolean {
  return isImageCid(parseCid(code, 'code'))
}

/** Does a run begin? A task runs at most once; one that was stopped before an executor got it has not run. */
export function mayBegin(kind: RunnableService['run']['kind'], before: RunRecord | undefined): boolean {
  if (before === undefined) return true
  if (!FINAL_STATES.includes(before.state)) return false
  return kind !== 'task' || (before.state === 'stopped' && before.handle === null)
}

export function logDirOf(logsDir: string, service: string): string {
  return join(logsDir, service)
}

type PlanInput = {
  runId: string
  spec: RunSpec
  purpose: Plan['purpose']
  codeDir: string | undefined
  logsDir: string
  /** between asking it to end and ending it, ms */
  graceMs: number
  /** how much of what a task leaves is taken */
  outputs?: Omit<PlanOutputs, 'paths'> | undefined
}

export function planOf({ runId, spec, purpose, codeDir, logsDir, graceMs, outputs }: PlanInput): Plan {
  const { service, grant, uid } = spec
  const { run } = service
  const ports = purpose === 'build' ? [] : (run.ports ?? []).map(({ port }) => port)
  // that of a build is not its service's
  const egress = purpose === 'build' ? undefined : runEgressOf(spec)
  const image = isImage(service) ? { digest: imageDigest(service), dir: codeDir } : undefined
  return {
    runId: purpose === 'build' ? buildIdOf(runId) : runId,
    service: service.id,
    author: service.author,
    purpose,
    grant,
    ...(purpose === 'run' && run.kind === 'service' && service.name !== undefined && { name: service.name }),
    uid,
    codeDir: image === undefined ? codeDir : undefined,
    command: purpose === 'build' ? (run.build ?? []) : run.command,
    env: {
      ...(egress?.proxyPort !== undefined && proxyVariables(egress.proxyPort)),
      ...(egress?.siblings !== undefined && { [SIBLINGS_VARIABLE]: siblingsUrl(egress.siblings) }),
      ...run.env,
    },
    workdir: run.workdir ?? '',
    ports,
    egress,
    ...(purpose === 'run' && run.check !== undefined && 'command' in run.check && { check: run.check.command }),
    ...(purpose === 'run' && run.outputs && outputs && { outputs: { ...outputs, paths: run.outputs } }),
    toolchain: service.toolchain,
    image,
    logDir: logDirOf(logsDir, service.id),
    // several services may wait for one build: none of them says when it ends
    lifetime:
      purpose === 'build' ? undefined : { afterMs: timeLimitMs(spec), expiresAt: service.expires * 1000, graceMs },
  }
}

/** What it finds in its network; undefined: nothing but itself. */
export function runEgressOf(spec: RunSpec): PlanEgress | undefined {
  return runEgress(networkOf(spec), spec.service.run.ports ?? [])
}

/** What the service asks for of the network, and what it was granted. */
export function networkOf({ service, grant }: RunSpec): RunNetwork {
  return { asked: service.network ?? [], grant: grant.network }
}

/** A build beside its run. */
export function buildIdOf(runId: string): string {
  return `${runId}-build`
}

/** How long one run may take, ms; undefined = until the service expires. */
export function timeLimitMs({ service, grant }: RunSpec): number | undefined {
  const seconds = Math.min(
    grant.timeoutSeconds ?? Number.POSITIVE_INFINITY,
    service.run.timeout ?? Number.POSITIVE_INFINITY,
  )
  return seconds === Number.POSITIVE_INFINITY ? undefined : seconds * 1000
}

/** Whose time limit it was, and how long. */
export function timeLimitText(spec: RunSpec): string {
  const { service, grant } = spec
  const own = service.run.timeout
  const whose =
    own !== undefined && own <= (grant.timeoutSeconds ?? Number.POSITIVE_INFINITY)
      ? 'set by the service (run.timeout)'
      : 'set by this node (LIMITS.SERVICE.TIMEOUT or its runner)'
  return `its time limit of ${formatSeconds((timeLimitMs(spec) ?? 0) / 1000)}, ${whose}, was over`
}

/** Does a run that has ended by itself begin again? */
export function restarts({ run }: RunnableService, failed: boolean): boolean {
  const policy = run.restart ?? (run.kind === 'service' ? 'always' : 'never')
  return policy === 'always' || (policy === 'on-failure' && failed)
}

/** As engines write it. */
export function imageDigest({ code }: RunnableService): string {
  return `sha256:${Buffer.from(parseCid(code, 'code').multihash.digest).toString('hex')}`
}
