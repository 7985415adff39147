import { createPrivateKey } from 'node:crypto'
import { servicesTopic } from '../../protocols/announcement.ts'
import { sha256 } from '../../protocols/encoding.ts'
import { ed25519Signer } from '../../protocols/signature.ts'

/** What an attacker receives. `count`: clients, sockets or peers; `ms`: for how long. */
export type Target = {
  readonly address: string
  /** code that the node under test serves */
  readonly code: string
  /** the port of its API */
  readonly api: number
  readonly ms: number
  readonly count: number
}
export type Figures = Readonly<Record<string, number>>

export const MESHSUB = '/meshsub/1.2.0'
export const KAD = '/thundercloud/test/kad/1.0.0'
export const TOPIC = servicesTopic('test')

/** An author whom the node under test trusts; the attackers have the key. */
export const AUTHOR = ed25519Signer(
  createPrivateKey({
    key: Buffer.concat([
      // an ed25519 key in PKCS #8, without its 32 bytes
      Buffer.from('302e020100300506032b657004220420', 'hex'),
      sha256(new TextEncoder().encode('an author of attacks')),
    ]),
    format: 'der',
    type: 'pkcs8',
  }),
)

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** Does it again and again until the time is over; what fails is tried again a moment later. */
export async function until(ms: number, work: () => Promise<void>): Promise<void> {
  const end = performance.now() + ms
  while (performance.now() < end) {
    try {
      await work()
    } catch {
      await pause(50)
    }
  }
}
