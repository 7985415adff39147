import { addressBytes } from '../../protocols/address.ts'
import { encodeAttestation } from '../../protocols/attestation.ts'
import { parseCid } from '../../protocols/encoding.ts'
import { encodeStatement, signStatement } from '../../protocols/statement.ts'
import { MIN_RENEW_SECONDS, RENEW_FRACTION, RENEW_SECONDS } from './constants.ts'
import type { ScanResult } from './scan-result.ts'
import type { HubInit, OwnAttestation } from './types.ts'

/** The hub's signed attestation on a code, which supersedes its previous one. */
export function signAttestation(
  { network, signer, validSeconds, report }: Pick<HubInit, 'network' | 'signer' | 'validSeconds' | 'report'>,
  code: string,
  result: Exclude<ScanResult, { verdict: 'none' }>,
  { now, before }: { now: number; before: OwnAttestation | undefined },
): { encoded: Uint8Array; expires: number } {
  const expires = now + validSeconds
  const body = encodeAttestation({
    v: 1,
    hub: addressBytes(signer.address),
    code: parseCid(code),
    verdict: result.verdict,
    issued: now,
    expires,
    // a hub that lost its memory still speaks after what it said before
    seq: Math.max(now, (before?.seq ?? 0) + 1),
    ...(report === undefined ? {} : { report: report.replaceAll('{code}', code) }),
    ...(result.verdict === 'unsafe' ? { severity: result.severity } : {}),
  })
  return { encoded: encodeStatement(signStatement(body, network, signer)), expires }
}

/** Is its attestation on this code still valid, and not about to expire? */
export function isFresh(attestation: OwnAttestation | undefined, now: number, validSeconds: number): boolean {
  if (attestation === undefined) return false
  const early = Math.max(Math.min(RENEW_SECONDS, validSeconds / RENEW_FRACTION), MIN_RENEW_SECONDS)
  return attestation.expires - now > early
}
