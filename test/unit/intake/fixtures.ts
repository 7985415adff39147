import { test } from 'vitest'
import type { Announcement } from '../../../protocols/announcement.ts'
import type { CID } from '../../../protocols/encoding.ts'
import type { ServiceBody } from '../../../protocols/service.ts'
import { createKeyCache, type KeyCache, type Signer } from '../../../protocols/signature.ts'
import type { StopBody } from '../../../protocols/stop.ts'
import type { SyncItem } from '../../../protocols/sync.ts'
import { type Clock, manualClock } from '../../../src/base/clock.ts'
import { createEvents } from '../../../src/base/events.ts'
import { silentLog } from '../../../src/base/log.ts'
import { createIntake, type Intake, type IntakeEvents, type QuotaInit } from '../../../src/intake/index.ts'
import { type AnnouncementRecord, type Journal, openJournal } from '../../../src/journal/index.ts'
import { copyAt, idOf, makeService, makeStop, NETWORK, newSigner } from '../../fixtures/mesh/gossip-services.ts'

export { copyAt, idOf, NETWORK } from '../../fixtures/mesh/gossip-services.ts'

export const NOW_MS = 1_700_000_000_000
export const NOW = NOW_MS / 1000
export const QUOTAS: QuotaInit = {
  servicesPerAuthor: 64,
  newPerAuthorPerMinute: 1000,
  newAuthorsPerPeerPerMinute: 1000,
  journalMax: 10_000,
  queueMax: 1024,
  deferredMax: 4096,
}

export const author = newSigner

type Change<Body> = Partial<Body> & { depth?: number }

/** A signed service with its first ticket, issued at the beginning of a test. */
export function service(by = author(), { depth = 4, ...change }: Change<ServiceBody> = {}, network = NETWORK) {
  return makeService({ author: by, depth, network, change: { issued: NOW, expires: NOW + 3600, ...change } })
}

export function stop(by: Signer, { depth = 4, ...change }: Change<StopBody> = {}) {
  return makeStop({ author: by, depth, change: { issued: NOW, expires: NOW + 3600, ...change } })
}

type Decision = { id: string; depth: number; answer(redirect: boolean): void; fail(error: Error): void }

/** What the mesh around one node would see: gossipsub's memory of ids, what went out, and what was asked for. */
export type World = {
  intake: Intake
  journal: Journal
  /** bytes in hex, as gossipsub has seen them */
  seen: Set<string>
  out: { hex: string; how: 'published' | 'forwarded' | 'offered' }[]
  offers: SyncItem[]
  pulls: { peer: string; ids: string[] }[]
  /** verdicts that are asked for and not given */
  asked: Decision[]
  decided: string[]
  delivered: string[]
  events: { name: keyof IntakeEvents; detail: IntakeEvents[keyof IntakeEvents] }[]
  /** A copy comes by gossip: undefined where gossipsub has seen it and does not ask. */
  hear(bytes: Uint8Array, from?: string): Promise<'accept' | 'ignore' | 'reject'> | undefined
  /** The same, until nothing is to do. */
  settle(bytes: Uint8Array, from?: string): Promise<'accept' | 'ignore' | 'reject' | undefined>
  /** The verdict that was asked for first falls, and all that follows. */
  decide(redirect: boolean): Promise<void>
  kept(one: Announcement | string): AnnouncementRecord | undefined
  listed(): SyncItem[]
}

export type WorldInit = {
  clock?: Clock
  journal?: Journal
  quotas?: Partial<QuotaInit>
  redirectionDepth?: () => number
  verdictTimeoutMs?: number
  holdMs?: number
  /** answers at once; without it a test answers what was `asked` */
  decide?: (id: string) => boolean
  /** no neighbour is there */
  alone?: () => boolean
  seen?: Set<string>
  keys?: KeyCache
}

export function createWorld(init: WorldInit = {}): World {
  const clock = init.clock ?? manualClock(NOW_MS)
  const journal = init.journal ?? openJournal({ path: ':memory:', clock, log: silentLog() })
  const events = createEvents<IntakeEvents>((error) => {
    throw error
  })
  const world: Omit<World, 'intake' | 'hear' | 'settle' | 'decide' | 'kept' | 'listed'> = {
    journal,
    seen: init.seen ?? new Set(),
    out: [],
    offers: [],
    pulls: [],
    asked: [],
    decided: [],
    delivered: [],
    events: [],
  }
  events.onAny((name, detail) => world.events.push({ name, detail }))
  const intake = createIntake(
    {
      clock,
      log: silentLog(),
      events,
      journal,
      keys: init.keys ?? createKeyCache(),
      decider: {
        decide: ({ id }, { depth }, { signal }) => {
          const text = id.toString()
          world.decided.push(text)
          if (init.decide !== undefined) return Promise.resolve({ redirect: init.decide(text) })
          return new Promise((resolve, fail) => {
            signal.addEventListener('abort', () => fail(signal.reason))
            world.asked.push({ id: text, depth, answer: (redirect) => resolve({ redirect }), fail })
          })
        },
      },
      mesh: {
        async publish(bytes) {
          if (init.alone?.()) return 'no-peers'
          const hex = hexOf(bytes)
          if (world.seen.has(hex)) return 'seen'
          world.seen.add(hex)
          world.out.push({ hex, how: 'published' })
          return 'published'
        },
        offer(items) {
          world.offers.push(...items)
          for (const [cid] of items) {
            const bytes = intake.syncSource.get(cid)
            if (bytes !== undefined) world.out.push({ hex: hexOf(bytes), how: 'offered' })
          }
        },
        pull: (peer, ids) => void world.pulls.push({ peer, ids: ids.map((id: CID) => id.toString()) }),
      },
      score: { delivered: (peer) => void world.delivered.push(peer) },
    },
    {
      network: NETWORK,
      redirectionDepth: init.redirectionDepth ?? (() => 8),
      quotas: { ...QUOTAS, ...init.quotas },
      verdictTimeoutMs: init.verdictTimeoutMs ?? 2000,
      holdMs: init.holdMs ?? 0,
    },
  )
  return Object.assign(world, {
    intake,
    async settle(bytes: Uint8Array, from?: string) {
      const answer = await this.hear(bytes, from)
      await intake.idle()
      return answer
    },
    async decide(redirect: boolean) {
      world.asked[0]?.answer(redirect)
      await intake.idle()
    },
    kept: (one: Announcement | string) => journal.announcements.get(typeof one === 'string' ? one : idOf(one)),
    listed: () => intake.syncSource.list(undefined, 10),
    hear(bytes: Uint8Array, from = 'peer') {
      const hex = hexOf(bytes)
      if (world.seen.has(hex)) return undefined
      world.seen.add(hex)
      const answer = intake.gossip(bytes, from)
      void answer.then((word) => {
        if (word === 'accept') world.out.push({ hex, how: 'forwarded' })
      })
      return answer
    },
  })
}

/** A test with worlds, and what may come to them. */
export const it = test
  .extend('clock', () => manualClock(NOW_MS))
  .extend('world', ({ clock }) => createWorld({ clock }))
  .extend('open', () => createWorld({ decide: () => true }))
  .extend('closed', () => createWorld({ decide: () => false }))
  .extend('signer', () => author())
  .extend('announcement', () => service())

export function versions(signer: Signer) {
  return [service(signer, { seq: 1 }), service(signer, { seq: 2 })] as const
}

/** A copy of this depth, as it is seen outside. */
export function sent(how: 'published' | 'forwarded' | 'offered', announcement: Announcement, depth?: number) {
  return { hex: hexOf(copyAt(announcement, depth)), how }
}

export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

/** Lets everything that is ready run. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

export function of<Name extends keyof IntakeEvents>(world: World, name: Name): IntakeEvents[Name][] {
  return world.events.filter((event) => event.name === name).map(({ detail }) => detail as IntakeEvents[Name])
}
