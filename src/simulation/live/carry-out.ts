import type { Action, Publication } from '../plan/timeline.ts'
import type { ServiceNumbers } from '../whole/service-numbers.ts'
import type { LiveMesh } from './mesh.ts'

type Said = { readonly node: number; readonly event: 'left' | 'crashed' | 'cut' | 'healed' }

type Stage = { readonly mesh: LiveMesh; readonly versions: Pick<ServiceNumbers, 'publish'> }

type Script = {
  readonly say: (event: Said) => void
  /** by service */
  readonly depths: ReadonlyMap<number, Pick<Publication, 'redirectionDepth'>>
}

export interface LiveActor {
  /** What a node does then goes on while the next thing happens. */
  carryOut(action: Action): Promise<unknown>
  /** Of a service whose publication was ordered. */
  publicationOf(service: number): { readonly version: number; readonly depth: number }
}

type Published = { readonly id: string; readonly code: string }

/** Carries out what a scenario says, with nodes in other processes. */
export function createLiveActor({ mesh, versions }: Stage, { say, depths }: Script): LiveActor {
  const published = new Map<number, { node: number; name: string; done: Promise<Published | undefined> }>()
  const versionOf = new Map<number, number>()
  /** the newest version of each, by name */
  const newest = new Map<string, number>()
  const cutOff = new Set<number>()
  let seq = 0

  /** A node that is down does nothing, and one that goes down on the way does not finish. */
  async function at<T>(node: number, act: () => Promise<T>): Promise<T | undefined> {
    if (!mesh.isUp(node)) return undefined
    try {
      return await act()
    } catch (error) {
      if (mesh.isUp(node)) throw error
      return undefined
    }
  }

  async function leave(node: number, crash: boolean): Promise<void> {
    if (cutOff.delete(node)) await mesh.heal([node])
    if (crash) {
      if (await mesh.crash(node)) say({ node, event: 'crashed' })
    } else if (await mesh.leave(node)) say({ node, event: 'left' })
  }

  return {
    publicationOf: (service) => ({
      version: versionOf.get(service) ?? 1,
      depth: depths.get(service)?.redirectionDepth ?? 0,
    }),
    async carryOut(action) {
      switch (action.do) {
        case 'publish': {
          const { service, node, of, replaces } = action
          if (!mesh.isUp(node)) return
          const { name, version } = versions.publish(service, replaces)
          versionOf.set(service, version)
          const done = at(node, () => mesh.ask<Published>({ do: 'publish', node, service, name, of }))
          published.set(service, { node, name, done })
          newest.set(name, service)
          return await done
        }
        case 'stop': {
          const of = published.get(action.service)
          // a stop ends all versions
          const last = published.get(newest.get(of?.name ?? '') ?? action.service)
          const found = await last?.done
          if (of === undefined || found === undefined) return
          return await at(of.node, () => mesh.ask({ do: 'stop', node: of.node, id: found.id }))
        }
        case 'attest': {
          const { hub: node, verdict } = action
          const found = await published.get(action.service)?.done
          if (found === undefined) return
          return await at(node, () => mesh.ask({ do: 'attest', node, code: found.code, verdict, seq: seq++ }))
        }
        case 'leave':
          return await Promise.all([...action.nodes].map((node) => leave(node, action.crash)))
        case 'join':
          return await Promise.all([...action.nodes].map((node) => mesh.join(node)))
        case 'cut': {
          const chosen = [...action.nodes].filter((node) => mesh.isUp(node))
          await mesh.cut(chosen)
          for (const node of chosen) {
            cutOff.add(node)
            say({ node, event: 'cut' })
          }
          return
        }
        case 'heal': {
          const healed = [...(action.nodes ?? cutOff)].filter((node) => cutOff.delete(node))
          await mesh.heal(healed)
          for (const node of healed) say({ node, event: 'healed' })
          return
        }
        case 'attack':
          throw new Error('whole nodes keep the rules')
      }
    },
  }
}
