import { sanitizeText } from '../../../base/format.ts'
import type { HubStatement } from '../../contract.ts'
import { trustedAttestations } from '../hubs.ts'
import { fail, MAX_EACH, pass, safeText } from '../reasons.ts'
import type { Rule } from '../rule.ts'

const name = 'veto'
/** Of a report's address: beside a hub's and the rest of the sentence, it fits into a reason at three bytes a character. */
const MAX_REPORT = 110
const MAX_SEVERITY = 10

/** No trusted hub may call the code unsafe, whoever wrote it. A service whose code one calls unsafe is not redirected. */
export const veto: Rule = {
  name,
  keys: ['TRUSTED_HUBS'],
  onFail: 'drop',
  doc: {
    asks: 'No hub of `TRUSTED_HUBS` says, in its last valid statement, that the code is unsafe. This holds for every author, the own address included.',
    otherwise: 'dropped: not run, not redirected',
  },
  decide(_service, node) {
    const unsafe = trustedAttestations(node).filter(({ verdict }) => verdict === 'unsafe')
    if (unsafe.length === 0) return [pass(name, 'no trusted hub calls the code unsafe')]
    return unsafe.slice(0, MAX_EACH).map((attestation) =>
      fail(name, describe(attestation), {
        field: 'attestations',
        must: 'be',
        value: `safe by ${safeText(attestation.hub)}`,
      }),
    )
  },
}

/** How bad it is and where people read why, as far as the hub says so. */
function describe({ hub, severity, report }: HubStatement): string {
  const how = severity === undefined ? '' : ` (severity ${sanitizeText(severity, MAX_SEVERITY)})`
  const why = report === undefined ? '' : `: ${sanitizeText(report, MAX_REPORT)}`
  return `the trusted hub ${safeText(hub)} calls the code unsafe${how}${why}`
}
