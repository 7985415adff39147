import { addressBytes, formatAddress } from '../../../protocols/address.ts'
import { encodeAttestation } from '../../../protocols/attestation.ts'
import { parseCid } from '../../../protocols/encoding.ts'
import { encodeStatement, signStatement } from '../../../protocols/statement.ts'
import { type Clock, nowSeconds } from '../../base/clock.ts'
import { packEntries } from '../../code/index.ts'
import type { Identity } from '../../config/index.ts'
import type { ThundercloudNode } from '../../node/index.ts'
import type { Publication } from '../plan/timeline.ts'
import { NETWORK } from './configuration.ts'

/** How long statements of a scenario are valid. */
const STATEMENT_SECONDS = 30 * 24 * 3600

/** Takes in the code of a small service. */
export async function addCode(node: ThundercloudNode, service: number): Promise<{ code: string }> {
  const text = Buffer.from(`service ${service}\n`.repeat(200))
  const file = { path: 'main.txt', size: text.byteLength, executable: false, open: () => [text] }
  return await node.addArchive(packEntries([file]))
}

export function manifestOf(name: string, code: string, of: Publication): object {
  const run =
    of.kind === 'task'
      ? { command: ['work', String(of.workSeconds)], kind: 'task' as const }
      : {
          command: ['serve', '8080'],
          kind: 'service' as const,
          ports: [{ name: 'http', port: 8080, access: 'any' as const }],
        }
  return {
    name,
    desc: 'x'.repeat(of.descLength),
    keywords: of.keywords,
    code,
    toolchain: of.toolchain,
    expires: of.lifeSeconds,
    replicas: of.replicas,
    depth: of.redirectionDepth,
    run,
    resources: { memory: of.memoryBytes, disk: '8MiB', cpu: of.cpuMillicores, pids: 16 },
  }
}

type AttestationOptions = { readonly verdict: 'safe' | 'unsafe'; readonly clock: Clock; readonly seq: number }

export function attestationOf(
  { signer }: Identity,
  code: string,
  { verdict, clock, seq }: AttestationOptions,
): Uint8Array {
  const issued = nowSeconds(clock)
  const hub = addressBytes(signer.address)
  const expires = issued + STATEMENT_SECONDS
  const body = encodeAttestation({ v: 1, hub, code: parseCid(code), verdict, issued, expires, seq })
  return encodeStatement(signStatement(body, NETWORK, signer))
}

/** As policies name it. */
export function addressOf({ identity }: { readonly identity: Identity }): string {
  return formatAddress(identity.signer.address)
}
