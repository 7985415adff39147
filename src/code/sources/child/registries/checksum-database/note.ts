import { createHash, createPublicKey, verify } from 'node:crypto'
import { UnusableSourceError } from '../../errors.ts'

/** Ed25519, the one algorithm that such keys have. */
const ED25519 = 1
const KEY = /^([^\s+]{1,255})\+([0-9a-f]{8})\+([A-Za-z0-9+/=]{1,128})$/
const SIGNATURE_BYTES = 64

/**
 * The text of a signed note, with its last line feed, where this key signed it. A note is the text, an empty line, and lines
 * `\u2014 NAME BASE64`, each of four bytes of the key's hash and the signature. Throws UnusableSourceError.
 */
export function openNote(note: string, key: string): string {
  const { name, hash, publicKey } = parseKey(key)
  const end = note.lastIndexOf('\n\n')
  const text = note.slice(0, end + 1)
  const signatures = note
    .slice(end + 2)
    .split('\n')
    .filter((line) => line.startsWith(`\u2014 ${name} `))
    .map((line) => Buffer.from(line.slice(name.length + 3), 'base64'))
    .filter((bytes) => bytes.byteLength === hash.byteLength + SIGNATURE_BYTES && bytes.subarray(0, 4).equals(hash))
  if (end > 0 && signatures.some((bytes) => verify(null, Buffer.from(text), publicKey, bytes.subarray(4)))) return text
  throw new UnusableSourceError(`the checksum database ${name} answers with what its key did not sign`)
}

function parseKey(key: string) {
  const [, name = '', hash = '', encoded = ''] = KEY.exec(key) ?? []
  const data = Buffer.from(encoded, 'base64')
  const sum = createHash('sha256').update(`${name}\n`).update(data).digest('hex').slice(0, 8)
  if (data.byteLength !== 33 || data[0] !== ED25519 || sum !== hash) {
    throw new UnusableSourceError('the key in GOSUMDB is not one that a checksum database can have; write it again')
  }
  const x = data.subarray(1).toString('base64url')
  return {
    name,
    hash: Buffer.from(hash, 'hex'),
    publicKey: createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' }),
  }
}
