import { ed25519 } from '@noble/curves/ed25519.js'
import { describe, expect, it } from 'vitest'
import { createKeyCache } from '../../../protocols/signature.ts'
import { SMALL_ORDER } from '../../../scripts/vectors/weird-keys.ts'

const bytes = (text: string) => Uint8Array.from(Buffer.from(text, 'hex'))

describe('S4: an ed25519 signature whose R has small order', () => {
  const key = bytes('191299cd0b2f38571deaa5039b17e617cce7d9353e9d055d53533e36e34ede65')
  const message = bytes('7468756e646572636c6f7564')
  const s = '4199bfcb4f7b7fd097d5a3c3702422b3bbdf5133f895a30daf4114340cba4f0b'

  it('is refused, whatever the runtime says of it', () => {
    const identity = bytes(`01${'00'.repeat(31)}${s}`)
    expect(ed25519.verify(identity, message, key, { zip215: false })).toBe(true)
    expect(createKeyCache().verify({ type: 'ed25519', key }, message, identity)).toBe('bad-signature')
  })

  it.each(SMALL_ORDER)('as is a key of %s', (_name, point) => {
    const everything = bytes(`58${'66'.repeat(31)}01${'00'.repeat(31)}`)
    const keys = createKeyCache()
    expect(keys.verify({ type: 'ed25519', key: bytes(point) }, message, everything)).not.toBe('valid')
  })

  it.each(SMALL_ORDER)('also with R of %s', (_name, point) => {
    expect(createKeyCache().verify({ type: 'ed25519', key }, message, bytes(point + s))).toBe('bad-signature')
  })
})
