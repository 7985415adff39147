import { createPrivateKey } from 'node:crypto'
import { ed25519Signer } from '../../../protocols/signature.ts'
import { seededRng } from '../../base/rng.ts'
import type { Identity } from '../../config/index.ts'

/** What an ed25519 key in PKCS#8 begins with. */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex')

/** The key of a scenario's node: the same in every engine. */
export function identityOf(seed: string, node: number): Identity {
  const der = Buffer.concat([PKCS8, seededRng(`${seed}/node-${node}/key`).bytes(32)])
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  return { signer: ed25519Signer(key), key }
}
