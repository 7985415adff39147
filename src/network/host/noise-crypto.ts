import { createCipheriv, createDecipheriv } from 'node:crypto'
import type { ICryptoInterface } from '@libp2p/noise'
import { defaultCrypto } from '@libp2p/noise/crypto'
import { Uint8ArrayList } from 'uint8arraylist'
import type { TransientBuffers } from './transient-buffers.ts'

const CIPHER = 'chacha20-poly1305'
const TAG_BYTES = 16
/** Below it the library's own implementation is quicker than a call of OpenSSL. */
const LONG_BYTES = 1200

/**
 * Noise's encryption, which gives back the memory that it is done with. Frames are about as long as what a socket reads
 * at once, so that nearly every frame begins in one read and ends in the next: the one that it began in is then done with.
 */
export function createNoiseCrypto(buffers: TransientBuffers): ICryptoInterface {
  return {
    ...defaultCrypto,
    chaCha20Poly1305Encrypt(plaintext, nonce, ad, key) {
      if (plaintext.byteLength < LONG_BYTES) return defaultCrypto.chaCha20Poly1305Encrypt(plaintext, nonce, ad, key)
      const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES })
      cipher.setAAD(ad, { plaintextLength: plaintext.byteLength })
      const encrypted = new Uint8ArrayList()
      for (const piece of piecesOf(plaintext)) {
        const output = cipher.update(piece)
        buffers.own(output)
        encrypted.append(output)
      }
      cipher.final()
      encrypted.append(cipher.getAuthTag())
      return encrypted
    },
    // never into `dst`, which may be a part of one read: a plaintext would hold on to all that was read with it
    chaCha20Poly1305Decrypt(ciphertext, nonce, ad, key, dst) {
      if (ciphertext.byteLength < LONG_BYTES) return defaultCrypto.chaCha20Poly1305Decrypt(ciphertext, nonce, ad, key)
      const length = ciphertext.byteLength - TAG_BYTES
      const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES })
      decipher.setAAD(ad, { plaintextLength: length })
      decipher.setAuthTag(ciphertext.subarray(length))
      const read = piecesOf(ciphertext)
      const encrypted = piecesOf(
        ciphertext instanceof Uint8Array ? ciphertext.subarray(0, length) : ciphertext.sublist(0, length),
      )
      const opened = encrypted.map((piece) => decipher.update(piece))
      decipher.final()
      for (const piece of opened) buffers.own(piece)
      for (const piece of read) buffers.releaseAtEnd(piece)
      // a copy of what was read, made for ciphers that decrypt in place
      if (dst !== undefined && !read.some(({ buffer }) => buffer === dst.buffer)) {
        buffers.own(dst)
        buffers.release(dst)
      }
      return listOf(opened)
    },
  }
}

function listOf(pieces: Uint8Array[]): Uint8Array | Uint8ArrayList {
  const [first] = pieces
  return first !== undefined && pieces.length === 1 ? first : Uint8ArrayList.fromUint8Arrays(pieces)
}

function piecesOf(bytes: Uint8Array | Uint8ArrayList): Uint8Array[] {
  return bytes instanceof Uint8Array ? [bytes] : [...bytes]
}
