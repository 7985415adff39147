import { addressBytes, formatAddress } from '../../../protocols/address.ts'
import { encodeAttestation } from '../../../protocols/attestation.ts'
import { parseCid } from '../../../protocols/encoding.ts'
import { encodeStatement, signStatement } from '../../../protocols/statement.ts'
import { type Clock, nowSeconds } from '../../base/clock.ts'
import { packEntries } from '../../code/index.ts'
import type { ThundercloudNode } from '../../node/index.ts'
import type { SimEvent } from '../events.ts'
import type { Wire } from '../network/types.ts'
import type { Action, Publication } from '../plan/timeline.ts'
import type { HostedNode } from './hosted-node.ts'
import { type Member, NETWORK } from './member.ts'
import type { ServiceNumbers } from './service-numbers.ts'

/** How long statements of a scenario are valid. */
const STATEMENT_SECONDS = 30 * 24 * 3600

type Stage = {
  readonly clock: Clock
  readonly wire: Wire
  readonly members: readonly Member[]
  readonly nodes: readonly HostedNode[]
  readonly versions: Pick<ServiceNumbers, 'publish'>
  readonly onEvent: (event: SimEvent) => void
  readonly ms: () => number
  /** The code of a service is known. */
  readonly onCode: (service: number, code: string) => void
}

/** Carries out what a scenario says. What a node does then goes on while the next thing happens. */
export function createActor(stage: Stage): { carryOut(action: Action): Promise<unknown> } {
  const { clock, wire, members, nodes, versions, onEvent, ms, onCode } = stage
  const published = new Map<number, { id: string; code: string; node: number; name: string }>()
  /** the newest version of each, by name */
  const newest = new Map<string, string>()
  const hostOf = (node: number) => (members[node] as Member).host
  const hosted = (node: number) => nodes[node] as HostedNode
  const say = (node: number, event: 'joined' | 'left' | 'crashed' | 'cut' | 'healed') =>
    onEvent({ ms: ms(), node, event })
  const cutOff = new Set<number>()
  let seq = 0

  /** A node that is down does nothing, and one that goes down on the way does not finish. */
  async function at(index: number, act: (node: ThundercloudNode) => Promise<unknown>): Promise<void> {
    const node = hosted(index).up
    if (node === undefined) return
    try {
      await act(node)
    } catch (error) {
      if (hosted(index).up === node) throw error
    }
  }

  async function leave(node: number, crash: boolean): Promise<void> {
    cutOff.delete(node)
    wire.heal([hostOf(node)])
    if (!crash) {
      if (await hosted(node).leave()) say(node, 'left')
    } else if (hosted(node).crash()) say(node, 'crashed')
  }

  function heal(chosen: Int32Array | undefined): void {
    const healed = [...(chosen ?? cutOff)].filter((node) => cutOff.delete(node))
    wire.heal(healed.map(hostOf))
    for (const node of healed) say(node, 'healed')
  }

  return {
    async carryOut(action) {
      switch (action.do) {
        case 'publish': {
          const { service, node, of, replaces } = action
          return await at(node, async (up) => {
            const { name, version } = versions.publish(service, replaces)
            onEvent({ ms: ms(), node, event: 'published', service, version, depth: of.redirectionDepth })
            const { code } = await addCode(up, service)
            onCode(service, code)
            const { id } = await up.publishManifest(manifestOf(name, code, of))
            published.set(service, { id, code, node, name })
            newest.set(name, id)
          })
        }
        case 'stop': {
          const of = published.get(action.service)
          // a stop ends all versions
          return of && (await at(of.node, (up) => up.stop(newest.get(of.name) ?? of.id)))
        }
        case 'attest': {
          const of = published.get(action.service)
          if (of === undefined) return
          const signed = attestationOf(members[action.hub] as Member, of.code, { ...action, clock, seq: seq++ })
          return await at(action.hub, (up) => up.submitStatement(signed, { asPublisher: true }))
        }
        case 'leave':
          return await Promise.all([...action.nodes].map((node) => leave(node, action.crash)))
        case 'join':
          return await Promise.all([...action.nodes].map((node) => hosted(node).start()))
        case 'cut': {
          const chosen = [...action.nodes].filter((node) => hosted(node).up !== undefined)
          wire.cut(chosen.map(hostOf))
          for (const node of chosen) {
            cutOff.add(node)
            say(node, 'cut')
          }
          return
        }
        case 'heal':
          return heal(action.nodes)
        case 'attack':
          throw new Error('whole nodes keep the rules')
      }
    },
  }
}

/** Takes in the code of a small service. */
async function addCode(node: ThundercloudNode, service: number): Promise<{ code: string }> {
  const text = Buffer.from(`service ${service}\n`.repeat(200))
  const file = { path: 'main.txt', size: text.byteLength, executable: false, open: () => [text] }
  return await node.addArchive(packEntries([file]))
}

function manifestOf(name: string, code: string, of: Publication): object {
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

function attestationOf({ identity }: Member, code: string, { verdict, clock, seq }: AttestationOptions): Uint8Array {
  const issued = nowSeconds(clock)
  const { signer } = identity
  const hub = addressBytes(signer.address)
  const expires = issued + STATEMENT_SECONDS
  const body = encodeAttestation({ v: 1, hub, code: parseCid(code), verdict, issued, expires, seq })
  return encodeStatement(signStatement(body, NETWORK, signer))
}

/** As policies name it. */
export function addressOf({ identity }: Member): string {
  return formatAddress(identity.signer.address)
}
