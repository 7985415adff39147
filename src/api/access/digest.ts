import { createHash } from 'node:crypto'

/** Secrets are compared and kept as digests: they have one length whatever was sent, and do not tell the secret. */
export function digestOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
}
