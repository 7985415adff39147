import { decodeAddress, formatAddress } from '../../../protocols/address.ts'
import type { Statement } from '../../../protocols/statement.ts'
import { sanitizeText } from '../../base/format.ts'
import { minuteText } from './expiry.ts'

/** What a statement says, in one sentence without its full stop: what people read before they sign it. */
export function describeStatement({ kind, body }: Pick<Statement, 'kind' | 'body'> & Statement): string {
  const until = `until ${minuteText(body.expires)} (seq ${body.seq})`
  switch (kind) {
    case 'attestation': {
      const severity = body.severity === undefined ? '' : `, severity ${body.severity}`
      const report = body.report === undefined ? '' : `, report ${sanitizeText(body.report, 512)}`
      return `hub ${textOf(body.hub)} calls code ${body.code} ${body.verdict}${severity}${report}, ${until}`
    }
    case 'freeze':
      return `hub ${textOf(body.hub)} says that ${body.amount} of ${textOf(body.address)} are frozen on ${sanitizeText(body.chain, 128)}, ${until}`
    case 'delegation': {
      const [issuer, subject] = [textOf(body.issuer), textOf(body.subject)]
      if (body.revoked === true) return `${issuer} no longer vouches for ${subject}, ${until}`
      return `${issuer} vouches for ${subject} (${furtherText(body.depth)}), ${until}`
    }
  }
}

function furtherText(depth: number): string {
  if (depth === 0) return 'no further delegation'
  return `up to ${depth} further ${depth === 1 ? 'delegation' : 'delegations'} below it`
}

function textOf(address: Uint8Array): string {
  return formatAddress(decodeAddress(address))
}
