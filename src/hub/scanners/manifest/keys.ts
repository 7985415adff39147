import type { CodeFile } from './walk.ts'

/** The body of a key in PEM, with what surrounds it in source code; longer ones are not keys. */
const MAX_BODY = 15 * 1024
const PEM = /-----BEGIN ((?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?)-----/g
/** How quotes, escapes and joined lines of source code break a text up. A plus alone belongs to base64. */
const GLUE = /["'`]\s*[+,]?\s*["'`]?|\\[nrt]|[\s\\]/g
/** Lines of an old encrypted key, or of one made by PGP: "DEK-Info: AES-128-CBC,0A..." */
const HEADER = /(?:^|\n|\\n)["'`\s+]*(?:Proc-Type|DEK-Info|Version|Comment|Hash|Charset):[^\n\\]*/g
const OPENSSH = 'openssh-key-v1\0'
/** Shorter than any PGP key. */
const MIN_PGP_BYTES = 150
const MIN_ENCRYPTED_BYTES = 48
/** A BLS12-381 key as a hub's operator keeps it. */
const BLS = [
  /"type"\s*:\s*"bls12-381"[^{}]{0,500}?"secret"\s*:\s*"0x[0-9a-fA-F]{64}"/,
  /"secret"\s*:\s*"0x[0-9a-fA-F]{64}"[^{}]{0,500}?"type"\s*:\s*"bls12-381"/,
]
/** A key in DER is a small file of its own. */
const MAX_DER_BYTES = 16 * 1024

/** Finds complete private keys, not text about keys or samples with dots in them. */
export function createKeyFinder({ size }: Pick<CodeFile, 'size'>) {
  const kinds = new Set<string>()
  return {
    look(text: string): void {
      for (const match of text.matchAll(PEM)) {
        const label = match[1] as string
        const start = match.index + match[0].length
        const rest = text.slice(start, start + MAX_BODY)
        const end = rest.indexOf('-----END')
        if (end < 0) continue
        if (isKey(label, rest.slice(0, end))) kinds.add(`a private key (${label.toLowerCase()})`)
      }
      if (BLS.some((pattern) => pattern.test(text))) kinds.add('a private key (bls12-381)')
      if (size <= MAX_DER_BYTES && text.length === size && isDerKey(Buffer.from(text, 'latin1'))) {
        kinds.add('a private key (der)')
      }
    },
    found: (): readonly string[] => [...kinds],
  }
}

function isKey(label: string, text: string): boolean {
  const encrypted = /Proc-Type:\s*4,\s*ENCRYPTED/.test(text)
  const body = text.replaceAll(HEADER, '').replaceAll(GLUE, '')
  // PGP writes a checksum after "="
  const base64 = label.startsWith('PGP') ? body.replace(/=[A-Za-z0-9+/]{4}$/, '') : body
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return false
  const bytes = Buffer.from(base64, 'base64')
  if (label.startsWith('PGP')) return bytes.byteLength >= MIN_PGP_BYTES
  if (label.startsWith('OPENSSH')) return bytes.subarray(0, OPENSSH.length).toString('latin1') === OPENSSH
  if (encrypted) return bytes.byteLength >= MIN_ENCRYPTED_BYTES
  if (label.startsWith('ENCRYPTED')) return sequenceIn(bytes)?.[0] === 0x30
  return isDerKey(bytes)
}

/** PKCS#8, PKCS#1, SEC1 and DSA keys alike: a sequence as long as they are, and a version of 0 or 1 first. */
function isDerKey(bytes: Buffer): boolean {
  const inner = sequenceIn(bytes)
  if (inner === undefined || inner.byteLength < 32 || inner[0] !== 2 || inner[1] !== 1) return false
  // a certificate request begins so, too; what follows its version is a sequence with a set in it
  return (inner[2] === 0 || inner[2] === 1) && (inner[3] !== 0x30 || isAlgorithm(inner.subarray(3)))
}

/** A sequence that begins with an object identifier. */
function isAlgorithm(bytes: Buffer): boolean {
  return (bytes[1] ?? 0x80) < 0x80 && bytes[2] === 6
}

/** What is inside a DER sequence that takes all of the bytes. */
function sequenceIn(bytes: Buffer): Buffer | undefined {
  if (bytes[0] !== 0x30) return undefined
  const short = bytes[1] ?? 0xff
  const more = short < 0x80 ? 0 : short - 0x80
  if (more > 3 || bytes.byteLength < 2 + more) return undefined
  const length = more === 0 ? short : bytes.readUIntBE(2, more)
  return bytes.byteLength === 2 + more + length ? bytes.subarray(2 + more) : undefined
}
