import type { Clock } from '../../base/clock.ts'
import type { ThundercloudNode } from '../../node/index.ts'
import type { SimEvent } from '../events.ts'
import type { Wire } from '../network/types.ts'
import type { Action } from '../plan/timeline.ts'
import { addCode, attestationOf, manifestOf } from './acts.ts'
import type { HostedNode } from './hosted-node.ts'
import type { Member } from './member.ts'
import type { ServiceNumbers } from './service-numbers.ts'

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
          const signed = attestationOf((members[action.hub] as Member).identity, of.code, {
            ...action,
            clock,
            seq: seq++,
          })
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
