import { addressBytes } from '../../protocols/address.ts'
import { encodeAttestation } from '../../protocols/attestation.ts'
import { parseCid } from '../../protocols/encoding.ts'
import { encodeStatement, signStatement } from '../../protocols/statement.ts'
import { LEAST_RENEW_SECONDS, RENEW_PART, RENEW_SECONDS } from './constants.ts'
import type { Judgement } from './scan-result.ts'
import type { HubInit, OwnWord } from './types.ts'

/** The hub's signed word on a code, which takes the place of its word before. */
export function signWord(
  { network, signer, validSeconds, report }: Pick<HubInit, 'network' | 'signer' | 'validSeconds' | 'report'>,
  code: string,
  judgement: Exclude<Judgement, { word: 'none' }>,
  { now, before }: { now: number; before: OwnWord | undefined },
): { encoded: Uint8Array; expires: number } {
  const expires = now + validSeconds
  const body = encodeAttestation({
    v: 1,
    hub: addressBytes(signer.address),
    code: parseCid(code),
    verdict: judgement.word,
    issued: now,
    expires,
    // a hub that lost its memory still speaks after what it said before
    seq: Math.max(now, (before?.seq ?? 0) + 1),
    ...(report === undefined ? {} : { report: report.replaceAll('{code}', code) }),
    ...(judgement.word === 'unsafe' ? { severity: judgement.severity } : {}),
  })
  return { encoded: encodeStatement(signStatement(body, network, signer)), expires }
}

/** Is its word on this code still good, and not about to expire? */
export function stands(word: OwnWord | undefined, now: number, validSeconds: number): boolean {
  if (word === undefined) return false
  const early = Math.max(Math.min(RENEW_SECONDS, validSeconds / RENEW_PART), LEAST_RENEW_SECONDS)
  return word.expires - now > early
}
