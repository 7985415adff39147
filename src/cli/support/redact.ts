import { addressOfPeerId, parseAddress } from '../../../protocols/address.ts'
import { parseCid } from '../../../protocols/encoding.ts'

export const REDACTED = '<redacted>'

/** Names of fields whose value is a secret, whatever it looks like. */
export const SECRET_NAME = /token|webhook|secret|pass|credential|cookie|private|api[-_]?key|^key$|auth(?!or)/i
const PEM = /-----BEGIN [^-]+-----[\s\S]*?(-----END [^-]+-----|$)/g
/** Of an address of the web: who asks, and what is asked for. */
const URL_SECRETS = /\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@"']+@/gi
const URL_QUERY = /\b([a-z][a-z0-9+.-]*:\/\/[^\s?#"']+)[?#][^\s"']*/gi
const BEARER = /\b(bearer|basic)\s+\S+/gi
/** What is long and has no spaces may be a key; ids and addresses, which have a prefix where they need one, are public, and are kept. */
const MIN_LONG_WORD = 24
const LONG_WORD = new RegExp(`(?:\\b(?:ed25519|legacy|bls12-381):)?[A-Za-z0-9+/_=.-]{${MIN_LONG_WORD},}`, 'g')
/** A path in the whole, or of a file in the operator's folder: each part of it is a word of its own. */
const PATH = /^(?:\/|[a-z0-9_-]+(?:\/[a-z0-9_-]+)+\.(?:json|m?[jt]s)$)/

/** Takes out of a text what may be a secret: what is known to be one (`secrets`), and what looks like one. */
export function redactText(text: string, secrets: readonly string[] = []): string {
  let redacted = text
  for (const secret of secrets) redacted = redacted.replaceAll(secret, REDACTED)
  return redacted
    .replace(PEM, REDACTED)
    .replace(URL_SECRETS, `$1${REDACTED}@`)
    .replace(URL_QUERY, `$1?${REDACTED}`)
    .replace(BEARER, `$1 ${REDACTED}`)
    .replace(LONG_WORD, (word) => (PATH.test(word) ? word.split('/') : [word]).map(publicOf).join('/'))
}

/** The same in every text of a value. Below a field with a name of a secret, everything is taken out, names kept. */
export function redactValue(value: unknown, secrets: readonly string[] = []): unknown {
  if (typeof value === 'string') return redactText(value, secrets)
  if (Array.isArray(value)) return value.map((item) => redactValue(item, secrets))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      redactText(name, secrets),
      SECRET_NAME.test(name) ? REDACTED : redactValue(item, secrets),
    ]),
  )
}

function publicOf(word: string): string {
  return word.length < MIN_LONG_WORD || isPublic(word) ? word : REDACTED
}

function isPublic(word: string): boolean {
  return [parseCid, parseAddress, addressOfPeerId].some((parse) => {
    try {
      parse(word)
      return true
    } catch {
      // a path, or a word of several parts
      return false
    }
  })
}
