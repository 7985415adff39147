import { deadline, nowSeconds } from '../base/clock.ts'
import { isRetryable, messageOf, TimeoutError } from '../base/errors.ts'
import { sanitizeText } from '../base/format.ts'
import { isFresh, signAttestation } from './attestation.ts'
import { MAX_FINDING, OBTAIN_TIMEOUT_MS } from './constants.ts'
import { combineReports } from './scan-result.ts'
import { type Report, reportOf } from './scanner.ts'
import type { HubCode, HubComponents, HubInit, HubService } from './types.ts'

/**
 * `attested`: the hub signed an attestation. `failed`: a later attempt may succeed. `undecided`: not from this service's
 * description. `held`: not from this code.
 */
export type ScanOutcome =
  | {
      readonly is: 'attested'
      readonly verdict: 'safe' | 'unsafe'
      readonly severity?: string | undefined
      readonly findings: readonly string[]
      readonly expires: number
      readonly tookMs: number
    }
  | { readonly is: 'failed' | 'undecided' | 'held'; readonly why: string }

/** Fetches a service's code, has every scanner look at it, and publishes what that comes to. Never rejects. */
export async function scanCode(
  components: HubComponents,
  init: HubInit,
  service: HubService,
  signal: AbortSignal,
): Promise<ScanOutcome> {
  const { clock, known, publish, recall, services } = components
  const startedAt = clock.monotonic()
  const described = services.describe(service.id)
  if (described === undefined) return { is: 'undecided', why: 'the service is not known any more' }
  if (described.image)
    return { is: 'undecided', why: 'its code is an image of a container engine, which is not examined' }
  try {
    // a hub that lost its memory does not call safe what it once called unsafe
    if (known(service.code) === undefined) await recall(service.code, { signal })
    if (isFresh(known(service.code), nowSeconds(clock), init.validSeconds)) {
      return { is: 'held', why: 'this hub attested it before, and the mesh still has the statement' }
    }
    const code = await obtain(components, service, signal)
    let reports: Report[]
    try {
      reports = await scanAll(components, init, { dir: code.dir, description: described.manifest }, signal)
    } finally {
      code.release()
    }
    const result = combineReports(reports)
    if (result.verdict === 'none') return { is: result.why, why: result.reason }
    const before = known(service.code)
    if (result.verdict === 'safe' && before?.verdict === 'unsafe') {
      const why = 'nothing is found any more, but this hub has called it unsafe: only its operator takes that back'
      return { is: 'held', why }
    }
    const { encoded, expires } = signAttestation(init, service.code, result, { now: nowSeconds(clock), before })
    await publish(encoded, { signal })
    return {
      is: 'attested',
      verdict: result.verdict,
      severity: result.verdict === 'unsafe' ? result.severity : undefined,
      findings: result.findings,
      expires,
      tookMs: Math.round(clock.monotonic() - startedAt),
    }
  } catch (error) {
    return { is: isRetryable(error) ? 'failed' : 'held', why: sanitizeText(messageOf(error), MAX_FINDING) }
  }
}

async function obtain(
  { clock, ...components }: HubComponents,
  service: HubService,
  signal: AbortSignal,
): Promise<HubCode> {
  const tooLong = new TimeoutError(`the code could not be had within ${OBTAIN_TIMEOUT_MS / 60_000} minutes`)
  using limit = deadline(clock, OBTAIN_TIMEOUT_MS, tooLong, signal)
  return await components.obtain(service, { signal: limit.signal })
}

/** One after the other: each may use all the memory that it was given. */
async function scanAll(
  { sandbox }: HubComponents,
  { scanners }: HubInit,
  code: { dir: string; description: unknown },
  signal: AbortSignal,
): Promise<Report[]> {
  const reports: Report[] = []
  for (const scanner of scanners) {
    const { command, shows, memoryBytes, diskBytes, timeoutMs } = scanner
    const limits = { command, shows, memoryBytes, diskBytes, timeoutMs }
    try {
      const end = await sandbox.scan({ ...limits, codeDir: code.dir, description: code.description }, { signal })
      reports.push(reportOf(scanner, end))
    } catch (error) {
      signal.throwIfAborted()
      const reason = `${scanner.name} could not be started: ${sanitizeText(messageOf(error), MAX_FINDING)}`
      reports.push({ is: 'failed', reason })
    }
  }
  return reports
}
