import { z } from 'zod'
import { formatAddress } from '../../../protocols/address.ts'
import { blsSigner, ed25519Signer, type Signer } from '../../../protocols/signature.ts'
import { InputError } from '../../base/errors.ts'
import { type ReadOptions, readSecret, textToJson } from '../read.ts'
import { keyOfPem } from './key-file.ts'

/** A BLS12-381 key as `hub keygen --bls` writes it. The public part is beside the secret, for people. */
const blsKeySchema = z.object({
  type: z.literal('bls12-381'),
  secret: z.string().regex(/^0x[0-9a-f]{64}$/i),
  address: z.string().optional(),
})

const ALLOWED =
  'allowed is an ed25519 private key as PKCS#8 PEM, or a BLS12-381 key as `thundercloud hub keygen --bls` writes it'

/** The key that a hub signs with: ed25519 (PEM) or BLS12-381 (JSON). `file`: how messages call it. */
export async function loadHubKey(path: string, options: ReadOptions & { file?: string } = {}): Promise<Signer> {
  const file = options.file ?? `the hub's key ${path}`
  const text = await readSecret(path, file, 'make one with `thundercloud hub keygen`', options)
  return text.trimStart().startsWith('{') ? blsKeyOf(text, file) : ed25519Signer(keyOfPem(text, file))
}

function blsKeyOf(text: string, file: string): Signer {
  const parsed = blsKeySchema.safeParse(textToJson(text, file))
  // the text holds a secret: no part of it is shown
  if (!parsed.success) throw new InputError(`${file} is no key; ${ALLOWED}`)
  const { secret, address } = parsed.data
  const signer = signerOf(secret, file)
  if (address !== undefined && address !== formatAddress(signer.address) && address !== hexOf(signer)) {
    throw new InputError(`${file} says that it is the key of another address than ${formatAddress(signer.address)}`)
  }
  return signer
}

function signerOf(secret: string, file: string): Signer {
  try {
    return blsSigner(Buffer.from(secret.slice(2), 'hex'))
  } catch (cause) {
    throw new InputError(`${file} has a secret that is no BLS12-381 scalar; ${ALLOWED}`, { cause })
  }
}

function hexOf({ address }: Signer): string {
  return `0x${Buffer.from(address.key).toString('hex')}`
}
