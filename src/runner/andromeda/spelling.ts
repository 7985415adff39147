/** Base58 of the SPKI DER of an ed25519 key, without what all of them begin with: the legacy spelling of an address. */
const SPKI_HEADER = 0x302a300506032b6570032100n
const LEGACY_PREFIX_LENGTH = 16
const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
/** Base58 of 48 bytes is longer than this, of 32 bytes never. */
const LONGEST_ED25519 = 44

/**
 * Every spelling of an address, given its canonical text. Settings keep the spelling that a person wrote where it is part
 * of a name. The runner's process has no library for addresses, and reading one would check a point on a curve.
 */
export function spellingsOf(address: string): ReadonlySet<string> {
  const plain = address.replace(/^ed25519:/, '')
  const key = decode(plain)
  if (plain.length > LONGEST_ED25519) {
    const hex = `0x${key.toString(16).padStart(96, '0')}`
    return new Set([plain, hex, `bls12-381:${plain}`, `bls12-381:${hex}`])
  }
  const legacy = encode((SPKI_HEADER << 256n) | key).slice(LEGACY_PREFIX_LENGTH)
  // A text that reads as two keys is only told with its prefix.
  const bare = plain === address ? [plain, legacy] : [legacy]
  return new Set([...bare, `ed25519:${plain}`, `legacy:${legacy}`])
}

/** Digits at a time that a number holds exactly: arithmetic on whole keys is slow. */
const STEP = 9
const STEP_BASE = 58 ** STEP

function decode(text: string): bigint {
  let value = 0n
  for (let start = 0; start < text.length; start += STEP) {
    const digits = text.slice(start, start + STEP)
    let part = 0
    for (const digit of digits) part = part * 58 + ALPHABET.indexOf(digit)
    value = value * BigInt(58 ** digits.length) + BigInt(part)
  }
  return value
}

function encode(value: bigint): string {
  let text = ''
  for (let rest = value; rest > 0n; rest /= BigInt(STEP_BASE)) {
    let part = Number(rest % BigInt(STEP_BASE))
    for (let digit = 0; digit < STEP; digit++) {
      text = `${ALPHABET[part % 58]}${text}`
      part = Math.floor(part / 58)
    }
  }
  return text.replace(/^1+/, '')
}
