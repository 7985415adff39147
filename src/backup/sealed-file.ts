import { createCipheriv, createDecipheriv, scrypt } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { z } from 'zod'
import { errnoOf, InputError, systemMessageOf } from '../base/errors.ts'
import type { Rng } from '../base/rng.ts'
import {
  KEY_BYTES,
  MAGIC,
  MAX_HEADER_BYTES,
  MAX_SCRYPT_BYTES,
  MIN_PASSPHRASE_LENGTH,
  NONCE_BYTES,
  SALT_BYTES,
  SCRYPT,
  TAG_BYTES,
} from './constants.ts'

const headerSchema = z.strictObject({
  scrypt: z
    .strictObject({ N: z.int().min(2), r: z.int().min(1), p: z.int().min(1).max(16), salt: z.base64() })
    // what it takes, and a power of two
    .refine(({ N, r }) => 128 * N * r <= MAX_SCRYPT_BYTES && Number.isInteger(Math.log2(N))),
  cipher: z.literal('aes-256-gcm'),
  nonce: z.base64(),
})
type Header = z.infer<typeof headerSchema>

type Options = { readonly passphrase: string; readonly signal?: AbortSignal | undefined }

/** Throws an InputError where it is too short to be one. */
export function checkPassphrase(passphrase: string): void {
  if (passphrase.length >= MIN_PASSPHRASE_LENGTH) return
  throw new InputError(`the passphrase is too short; use at least ${MIN_PASSPHRASE_LENGTH} characters`)
}

/**
 * Encrypts bytes into a file that only its owner may read: whole or not there.
 * The key is scrypt's of the passphrase; AES-256-GCM covers the header, too.
 */
export async function writeSealed(
  path: string,
  bytes: AsyncIterable<Uint8Array>,
  { passphrase, signal, rng }: Options & { rng: Pick<Rng, 'bytes'> },
): Promise<void> {
  checkPassphrase(passphrase)
  const [salt, nonce] = [Buffer.from(rng.bytes(SALT_BYTES)), Buffer.from(rng.bytes(NONCE_BYTES))]
  const kdf = { ...SCRYPT, salt: salt.toString('base64') }
  const header: Header = { scrypt: kdf, cipher: 'aes-256-gcm', nonce: nonce.toString('base64') }
  const head = Buffer.from(`${MAGIC}${JSON.stringify(header)}\n`)
  const cipher = createCipheriv('aes-256-gcm', await keyOf(passphrase, header), nonce)
  cipher.setAAD(head)
  const draft = `${path}.${process.pid}.draft`
  try {
    await pipeline(
      async function* () {
        yield head
        for await (const piece of bytes) yield cipher.update(piece)
        yield cipher.final()
        yield cipher.getAuthTag()
      },
      createWriteStream(draft, { flags: 'wx', mode: 0o600, flush: true }),
      { signal },
    )
    await rename(draft, path)
  } catch (error) {
    await rm(draft, { force: true })
    signal?.throwIfAborted()
    if (error instanceof InputError || errnoOf(error) === undefined) throw error
    throw new InputError(`${path} cannot be written: ${systemMessageOf(error)}`, { cause: error })
  }
}

/** Decrypts such a file into another one. What is there before this resolves may be anybody's: it is used after that alone. */
export async function openSealed(path: string, target: string, { passphrase, signal }: Options): Promise<void> {
  const { head, header, tag, size } = await readEnds(path)
  const decipher = createDecipheriv('aes-256-gcm', await keyOf(passphrase, header), Buffer.from(header.nonce, 'base64'))
  decipher.setAAD(head)
  decipher.setAuthTag(tag)
  const sealed = createReadStream(path, { start: head.byteLength, end: size - TAG_BYTES - 1 })
  await pipeline(
    sealed,
    async function* (source: AsyncIterable<Buffer>) {
      for await (const piece of source) yield decipher.update(piece)
      yield lastOf(decipher, path)
    },
    createWriteStream(target, { flags: 'wx', mode: 0o600 }),
    { signal },
  )
}

function lastOf(decipher: { final(): Buffer }, path: string): Buffer {
  try {
    return decipher.final()
  } catch (cause) {
    throw new InputError(`the passphrase is not the one of ${path}, or the file is damaged`, { cause })
  }
}

async function readEnds(path: string): Promise<{ head: Buffer; header: Header; tag: Buffer; size: number }> {
  const noBackup = (cause?: unknown) =>
    new InputError(`${path} is no backup that this program understands; name a file of \`thundercloud backup\``, {
      cause,
    })
  try {
    await using file = await open(path, 'r')
    const { size } = await file.stat()
    const begin = Buffer.alloc(Math.min(size, MAGIC.length + MAX_HEADER_BYTES))
    await file.read(begin, 0, begin.byteLength, 0)
    const end = begin.indexOf('\n', MAGIC.length) + 1
    if (begin.toString('latin1', 0, MAGIC.length) !== MAGIC || end === 0 || size < end + TAG_BYTES + 1) throw noBackup()
    const head = begin.subarray(0, end)
    const header = headerSchema.parse(JSON.parse(head.toString('utf8', MAGIC.length)))
    const tag = Buffer.alloc(TAG_BYTES)
    await file.read(tag, 0, TAG_BYTES, size - TAG_BYTES)
    return { head, header, tag, size }
  } catch (error) {
    if (error instanceof InputError) throw error
    if (errnoOf(error) === undefined) throw noBackup(error)
    throw new InputError(`${path} cannot be read: ${systemMessageOf(error)}`, { cause: error })
  }
}

const derive = promisify<string, Buffer, number, { N: number; r: number; p: number; maxmem: number }, Buffer>(scrypt)

function keyOf(passphrase: string, { scrypt: { N, r, p, salt } }: Header): Promise<Buffer> {
  // a keyboard of another system may compose letters otherwise
  const options = { N, r, p, maxmem: 2 * MAX_SCRYPT_BYTES }
  return derive(passphrase.normalize('NFKC'), Buffer.from(salt, 'base64'), KEY_BYTES, options)
}
