const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
const LENGTH = 44
/**
 * The last digits of base58 of the SPKI header of ed25519 keys before a key of 32 zeros. A legacy address is what base58
 * of header and key has in these places, so it is this number and the key's own, added.
 */
const NO_KEY = 'EKQBvZxEp4ZsfV33GypNdvxiFXDucF416mx61VzMEVKM'

/**
 * Is `text` one of the spellings of an address, given its canonical text? Settings keep the spelling that a person wrote
 * where it is part of a name. The runner's process has no library for addresses, and reading one would cost a millisecond
 * of curve arithmetic, where this is asked for every service.
 */
export function addressMatcher(address: string): (text: string) => boolean {
  const plain = address.replace(/^ed25519:/, '')
  if (plain.length > LENGTH) {
    return (text) => {
      const bare = text.replace(/^bls12-381:/, '')
      return bare === plain || (bare.startsWith('0x') && bare.toLowerCase() === hexOf(plain))
    }
  }
  const legacy = legacyOf(plain)
  // Settings with a text that reads as two keys are refused, so that here no other key is meant.
  return (text) => text === plain || text === legacy || text === `ed25519:${plain}` || text === `legacy:${legacy}`
}

function legacyOf(plain: string): string {
  let text = ''
  let carry = 0
  for (let place = 1; place <= LENGTH; place++) {
    const digit = place > plain.length ? 0 : ALPHABET.indexOf(plain[plain.length - place] as string)
    const sum = ALPHABET.indexOf(NO_KEY[LENGTH - place] as string) + digit + carry
    carry = sum >= 58 ? 1 : 0
    text = `${ALPHABET[sum % 58]}${text}`
  }
  return text
}

function hexOf(base58: string): string {
  let value = 0n
  for (const digit of base58) value = value * 58n + BigInt(ALPHABET.indexOf(digit))
  return `0x${value.toString(16).padStart(96, '0')}`
}
