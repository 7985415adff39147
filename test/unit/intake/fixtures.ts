import { test } from 'vitest'
import type { Announcement } from '../../../protocols/announcement.ts'
import type { CID } from '../../../protocols/encoding.ts'
import type { ServiceBody } from '../../../protocols/service.ts'
import { createKeyCache, type KeyCache, type Signer } from '../../../protocols/signature.ts'
import type { StopBody } from '../../../protocols/stop.ts'
import type { SyncItem } from '../../../protocols/streams/sync.ts'
import { type Clock, manualClock } from '../../../src/base/clock.ts'
import { createEvents } from '../../../src/base/events.ts'
import { type Log, silentLog } from '../../../src/base/log.ts'
import { createIntake, type IntakeEvents, type QuotaInit } from '../../../src/intake/index.ts'
import { type Journal, openJournal } from '../../../src/journal/index.ts'
import { copyAt, idOf, makeService, makeStop, NETWORK, newSigner } from '../../fixtures/mesh/gossip-services.ts'

export { copyAt, idOf, NETWORK } from '../../fixtures/mesh/gossip-services.ts'

export const NOW_MS = 1_700_000_000_000
export const NOW = NOW_MS / 1000
const QUOTAS: QuotaInit = {
  ...{ servicesPerAuthor: 64, newPerAuthorPerMinute: 1000, newAuthorsPerPeerPerMinute: 1000 },
  ...{ journalMax: 10_000, queueMax: 1024, deferredMax: 4096 },
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

type Way = 'published' | 'forwarded' | 'offered'
type Init = {
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
  /** what gossip waits for before it takes a publication */
  publishing?: () => Promise<unknown>
  keys?: KeyCache
  log?: Log
}

export type World = ReturnType<typeof createWorld>

/** What the mesh around one node would see: gossipsub's memory of ids, what went out, and what was asked for. */
export function createWorld({ clock = manualClock(NOW_MS), decide, alone, quotas, ...init }: Init = {}) {
  const log = init.log ?? silentLog()
  const journal = init.journal ?? openJournal({ path: ':memory:', clock, log })
  const events = createEvents<IntakeEvents>((error) => {
    throw error
  })
  const world = {
    journal,
    /** bytes in hex, as gossipsub has seen them */
    seen: new Set<string>(),
    out: [] as { hex: string; how: Way }[],
    offers: [] as SyncItem[],
    pulls: [] as { peer: string; ids: string[] }[],
    /** verdicts that are asked for and not given */
    asked: [] as Decision[],
    decided: [] as string[],
    delivered: [] as string[],
    events: [] as { name: keyof IntakeEvents; detail: IntakeEvents[keyof IntakeEvents] }[],
  }
  events.onAny((name, detail) => world.events.push({ name, detail }))
  const isNew = (hex: string) => world.seen.size < world.seen.add(hex).size
  const intake = createIntake(
    {
      ...{ clock, log, events, journal, keys: init.keys ?? createKeyCache() },
      decider: {
        decide: ({ id }, { depth }, { signal }) => {
          const text = id.toString()
          world.decided.push(text)
          if (decide !== undefined) return Promise.resolve({ redirect: decide(text) })
          return new Promise((resolve, fail) => {
            signal.addEventListener('abort', () => fail(signal.reason))
            world.asked.push({ id: text, depth, answer: (redirect) => resolve({ redirect }), fail })
          })
        },
      },
      mesh: {
        async publish(bytes) {
          if (alone?.()) return 'no-peers'
          if (init.publishing !== undefined) await init.publishing()
          if (!isNew(hexOf(bytes))) return 'seen'
          world.out.push({ hex: hexOf(bytes), how: 'published' })
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
      quotas: { ...QUOTAS, ...quotas },
      verdictTimeoutMs: init.verdictTimeoutMs ?? 2000,
      holdMs: init.holdMs ?? 0,
    },
  )
  /** A copy comes by gossip: undefined where gossipsub has seen it and does not ask. */
  function receive(bytes: Uint8Array, from = 'peer') {
    const hex = hexOf(bytes)
    if (!isNew(hex)) return undefined
    const answer = intake.gossip(bytes, from)
    void answer.then((word) => word === 'accept' && world.out.push({ hex, how: 'forwarded' }))
    return answer
  }
  return Object.assign(world, {
    intake,
    receive,
    /** The same, until nothing is to do. */
    async settle(bytes: Uint8Array, from?: string) {
      const answer = await receive(bytes, from)
      await intake.idle()
      return answer
    },
    /** The verdict that was asked for first falls, and all that follows. */
    async decide(redirect: boolean) {
      world.asked[0]?.answer(redirect)
      await intake.idle()
    },
    kept: (one: Announcement | string) => journal.announcements.get(typeof one === 'string' ? one : idOf(one)),
    listed: () => intake.syncSource.list(undefined, 10),
    count: () => journal.announcements.count(),
    /** The node starts again, with its journal; gossipsub has forgotten everything. */
    restart(change: Init = {}) {
      const next = createWorld({ clock, ...change, journal })
      next.intake.boot()
      return next
    },
    /** A copy comes from a neighbour by sync. */
    sync: (one: Announcement, depth?: number) => intake.submit(copyAt(one, depth), 'sync', 'p'),
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

/** The versions 1, 2 and 3 of one service. */
export const versions = (signer: Signer) =>
  [service(signer, { seq: 1 }), service(signer, { seq: 2 }), service(signer, { seq: 3 })] as const

/** A copy of this depth, as it is seen outside. */
export function sent(how: Way, announcement: Announcement, depth?: number) {
  return { hex: hexOf(copyAt(announcement, depth)), how }
}

export const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** Lets everything that is ready run. */
export const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve))

export function of<Name extends keyof IntakeEvents>(world: World, name: Name): IntakeEvents[Name][] {
  return world.events.filter((event) => event.name === name).map(({ detail }) => detail as IntakeEvents[Name])
}
