import { addressOfPeerId, peerIdOf } from '../../../protocols/address.ts'
import { type Claim, claimDistance } from '../../../protocols/claims.ts'
import { cidOfStructure, compareBytes, sha256 } from '../../../protocols/encoding.ts'
import { signerOf } from '../../../scripts/vectors/kit/kit.ts'
import { sleep } from '../../../src/base/clock.ts'
import { silentLog } from '../../../src/base/log.ts'
import { seededRng } from '../../../src/base/rng.ts'
import type { Grant } from '../../../src/base/verdict.ts'
import { createOwnClaims, createPlacement, type Placement } from '../../../src/placement/index.ts'
import { createVirtualTime, type Lateness } from './virtual-time.ts'

const SIZE = { memoryBytes: 1, cpuMillicores: 1, diskBytes: 1, pids: 1 }
const GRANT: Grant = { executor: 'host', ...SIZE, network: { mode: 'none' } }
const PEER_IDS = Array.from({ length: 32 }, (_, index) => peerIdOf(signerOf(`placement ${index}`).address))

export const service = cidOfStructure(sha256(new TextEncoder().encode('a service'))).toString()

type Run = { readonly number: number; healthy: boolean; failing: boolean }

export type WorldInit = {
  seed: string
  nodes: number
  replicas: number
  /** from the claim that stands to a healthy run */
  fetchMs?: number
  /** one way, between two nodes */
  latencyMs?: (a: number, b: number) => number
  skewMs?: (node: number) => number
  /** of the turns of a node's program; undefined: it is never busy */
  lateness?: (node: number) => Omit<Lateness, 'rng' | 'calm'> | undefined
}

/** Nodes that place one service, as far as others see them: real placement, over time and a network that are made up. */
export function createClaimWorld({ seed, replicas, fetchMs = 8_000, ...init }: WorldInit) {
  const time = createVirtualTime()
  const { latencyMs = () => 20, skewMs = () => 0, lateness = () => undefined } = init
  const nodes = Array.from({ length: init.nodes }, (_, index) => createMember(index))
  const world = {
    time,
    ...{ nodes, replicas },
    starts: 0,
    /** no program is busy now */
    calm: false,
    /** links that carry nothing; `silent`: what is sent is never answered, as where a cable is cut */
    cut: (_a: number, _b: number): 'closed' | 'silent' | undefined => undefined,
    runs: () => nodes.filter(({ alive, run }) => alive && run !== undefined),
    /** Closes connections, or opens them, after `cut` or a node's life has changed. */
    relink(): void {
      for (const a of nodes) {
        for (const b of nodes) {
          if (a === b) continue
          const linked = a.alive && b.alive && world.cut(a.index, b.index) === undefined
          const was = a.links.has(b.peer)
          if (linked === was) continue
          if (linked) a.links.add(b.peer)
          else if (world.cut(a.index, b.index) === 'silent' && a.alive && b.alive) continue
          else a.links.delete(b.peer)
          if (!a.alive) continue
          if (linked) a.placement.onPeerConnected(b.peer)
          else a.placement.onPeerDisconnected(b.peer)
        }
      }
    },
    /** Nearest to the service first. */
    byDistance: () => [...nodes].sort((a, b) => compareBytes(distanceOf(a.peer), distanceOf(b.peer))),
    async end(): Promise<void> {
      await Promise.all(nodes.map((node) => node.placement[Symbol.asyncDispose]()))
    },
  }
  let runs = 0

  function createMember(index: number) {
    const peer = PEER_IDS[index] as string
    const rng = seededRng(`${seed}/${index}`)
    const late = lateness(index)
    const turns = time.turnsOf({
      skewMs: skewMs(index),
      lateness: late && { ...late, rng: seededRng(`${seed}/late/${index}`), calm: () => world.calm },
    })
    const { clock } = turns
    const pause = (ms: number) => sleep(clock, ms)
    const claims = createOwnClaims()
    const member = {
      index,
      peer,
      alive: true,
      turns,
      links: new Set<string>(),
      parked: false,
      /** would it run the service? */
      willing: false,
      run: undefined as Run | undefined,
      done: false,
      /** its node takes nothing new, and its run makes way */
      drained: false,
      why: '',
      asked: 0,
      /** what it says, where that is not true */
      lie: undefined as (() => Claim | undefined | 'silence') | undefined,
      placement: undefined as unknown as Placement,
      /** The service reaches it. */
      receive() {
        member.willing = true
        member.placement.claim(service, GRANT)
      },
      /** The run ends, and is not begun again. */
      endRun() {
        member.run = undefined
        member.willing = false
      },
      claim(): Claim | undefined | 'silence' {
        if (member.lie !== undefined) return member.lie()
        if (member.done) return { state: 'done', leaving: false }
        const { run } = member
        if (run !== undefined)
          return { state: run.healthy ? 'running' : 'accepted', leaving: run.failing || member.drained }
        const own = claims.get(service)
        if (own === undefined) return undefined
        return { state: own.stands ? 'accepted' : 'claiming', leaving: false }
      },
    }
    const linkTo = (to: string) => nodes.find((node) => node.peer === to) as Member
    member.placement = createPlacement(
      {
        clock,
        rng,
        log: silentLog(),
        claims,
        mesh: {
          neighbours: () => [...member.links],
          async *providers() {},
          misbehaves: () => false,
          inUse: () => new Set(),
          async ask(to) {
            member.asked++
            const other = linkTo(to)
            const silent = () => world.cut(index, other.index) === 'silent'
            if (silent()) return await new Promise<never>(() => {})
            if (!member.links.has(to)) throw new Error('no connection')
            await time.sleep(latencyMs(index, other.index))
            if (silent()) return await new Promise<never>(() => {})
            await other.turns.next()
            if (!other.alive || !member.alive) throw new Error('the connection was closed')
            other.placement.onAsked(service, peer)
            const said = other.claim()
            if (said === 'silence') return await new Promise<never>(() => {})
            await time.sleep(latencyMs(index, other.index))
            if (silent()) return await new Promise<never>(() => {})
            await turns.next()
            return said
          },
        },
        services: {
          *parts() {
            if (!member.alive) return
            if (member.parked) yield [service, 'standing-by']
            if (member.run !== undefined) yield [service, member.run.healthy ? 'running' : 'starting']
          },
          replicas: () => (member.alive ? replicas : undefined),
          leaving: () => (member.run?.failing === true ? 'failing' : member.drained ? 'drained' : undefined),
          onWon() {
            // the runner is asked once more
            void pause(5 + rng.fraction() * 20).then(() => {
              claims.withdraw(service)
              if (!member.alive || member.drained) return
              const run = { number: runs++, healthy: false, failing: false }
              member.run = run
              world.starts++
              void pause(fetchMs * (0.9 + rng.fraction() / 5)).then(() => {
                if (member.run === run) run.healthy = true
              })
            })
          },
          onLost(_, why) {
            member.why = why
            member.run = undefined
            member.parked = member.willing
          },
          onVacant() {
            void pause(5 + rng.fraction() * 20).then(() => {
              if (!member.parked || !member.alive || member.drained) return
              member.parked = false
              member.placement.claim(service, GRANT)
            })
          },
          onServed() {},
        },
      },
      { self: peer, expectsPeers: () => false },
    )
    return member
  }

  return world
}

export type Member = ReturnType<typeof createClaimWorld>['nodes'][number]

function distanceOf(peer: string): Uint8Array {
  const cid = cidOfStructure(sha256(new TextEncoder().encode('a service')))
  return claimDistance(addressOfPeerId(peer), cid)
}
