import { generateKeyPairSync } from 'node:crypto'
import { addressBytes } from '../../../protocols/address.ts'
import { type Announcement, encodeAnnouncement, signService, signStop } from '../../../protocols/announcement.ts'
import { type CID, cidOfBytes } from '../../../protocols/encoding.ts'
import { issueTicket, lowerTicket } from '../../../protocols/redirection.ts'
import { encodeService, type ServiceBody } from '../../../protocols/service.ts'
import { createKeyCache, ed25519Signer, type KeyCache, type Signer } from '../../../protocols/signature.ts'
import { encodeStop } from '../../../protocols/stop.ts'
import type { SyncItem } from '../../../protocols/sync.ts'
import { type Clock, manualClock } from '../../../src/base/clock.ts'
import { createEvents } from '../../../src/base/events.ts'
import { silentLog } from '../../../src/base/log.ts'
import { seededRng } from '../../../src/base/rng.ts'
import { createIntake, type Intake, type IntakeEvents, type QuotaInit } from '../../../src/intake/index.ts'
import { type Journal, openJournal } from '../../../src/journal/index.ts'

export const NETWORK = 'test'
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

export function author(): Signer {
  return ed25519Signer(generateKeyPairSync('ed25519').privateKey)
}

let secrets = 0

/** A signed service with its first ticket. */
export function service(
  signer: Signer,
  change: Partial<ServiceBody> & { depth?: number } = {},
  network = NETWORK,
): Announcement {
  const { depth = 4, ...rest } = change
  const { reach, ticket } = issueTicket(depth, seededRng(`secret ${secrets++}`).bytes(32))
  const body = encodeService({
    v: 1,
    author: addressBytes(signer.address),
    name: 'web',
    seq: 0,
    title: 'A web service',
    desc: 'Says hello.',
    keywords: ['web'],
    toolchain: ['node.js'],
    symbiotes: [],
    hostchains: [],
    issued: NOW,
    expires: NOW + 3600,
    code: cidOfBytes(Uint8Array.of(1)),
    sources: [{ type: 'mesh' }],
    run: { command: ['node', 'main.js'], kind: 'service' },
    resources: { memory: 1 << 27, disk: 1 << 27, cpu: 500, pids: 64 },
    network: [],
    replicas: 1,
    statements: [],
    credentials: [],
    replyTo: [],
    reach,
    ...rest,
  })
  return { signed: signService(body, network, signer), ticket }
}

export function stop(signer: Signer, change: { name?: string; seq?: number; depth?: number; expires?: number } = {}) {
  const { name = 'web', seq = 0, depth = 4, expires = NOW + 3600 } = change
  const { reach, ticket } = issueTicket(depth, seededRng(`secret ${secrets++}`).bytes(32))
  const body = encodeStop({
    v: 1,
    author: addressBytes(signer.address),
    name,
    seq,
    stop: true,
    issued: NOW,
    expires,
    reach,
  })
  return { signed: signStop(body, NETWORK, signer), ticket } satisfies Announcement
}

export function idOf(announcement: Announcement): string {
  return announcement.signed.id.toString()
}

/** The copy of it that carries this depth. */
export function copyAt({ signed, ticket }: Announcement, depth = ticket.depth): Uint8Array {
  return encodeAnnouncement({ signed, ticket: lowerTicket(ticket, depth) })
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
  const world: Omit<World, 'intake' | 'hear'> = {
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
