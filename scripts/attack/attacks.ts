import type { Defence } from '../../src/network/index.ts'
import type { Delivery } from './honest.ts'
import type { Figures } from './target.ts'
import type { Measure } from './tested-node.ts'

/** What was seen of one attack. */
export type Observation = {
  readonly before: Measure
  readonly during: Measure
  readonly after: Measure
  readonly delivery: Delivery
  readonly attacker: Figures
  /** of 20 dials of honest peers, or calls of the API, while it went on */
  readonly dials: number
}

export type Attack = {
  readonly id: string
  readonly what: string
  /** What the attackers do: a handler of attacker.ts; and in how many processes. */
  readonly act: string
  readonly processes: number
  /** Clients, sockets or peers of each process, in the long form and in the short one. */
  readonly count: { readonly long: number; readonly short: number }
  /** Clients that vanish take as long as they take; the others stop after this. */
  readonly seconds: { readonly long: number; readonly short: number }
  /** In the long form it is played once before it is measured: a first round is of its own size then. */
  readonly warmsUp?: boolean
  /** What honest ones try meanwhile. */
  readonly tries?: 'dial' | 'call'
  /** Attacks of one name that follow one another are played at once in the short form, and share what was measured. */
  readonly together?: string
  /** What holds it, where that can be switched off. */
  readonly defences: readonly Defence[]
  /** One sentence. */
  readonly bound: string
  held(seen: Observation): boolean
}

export const TRIES = 20
/**
 * What the process has from the system, against a round of the same kinds of attacks before the first measure: V8 and the
 * C library keep what they needed once.
 */
export const RSS_MIB = 64
/** What the program still refers to after a collection. A thousand connections that stayed are over this: ten kilobytes each. */
const LIVE_MIB = 8
/** What a peer may send on a stream before the reset arrives. */
const WINDOW_MIB = 4
/** Its folder, its manifest, and the bytes that came. */
const BEGUN_FETCH_FILES = 3
const MEMORY = `memory after a collection within ${LIVE_MIB} MiB, RSS within ${RSS_MIB} MiB of a first round`

const everythingCame = ({ delivery }: Observation) => delivery.came === delivery.sent
const soonEnough = ({ delivery }: Observation) => delivery.p99Ms >= 0 && delivery.p99Ms < 2500
/** What each peer used up stays used up when it reconnects: a kilobyte for each of the last 8,192. */
const rememberedMiB = (peers: number) => Math.min(peers, 8192) / 1024
const givenBack = ({ before, after }: Observation, remembered = 0) =>
  after.liveMiB - before.liveMiB < LIVE_MIB + remembered &&
  after.rssMiB - before.rssMiB < RSS_MIB &&
  after.descriptors - before.descriptors <= 4

const silence = (id: string, from: string, act: string): Attack => ({
  id,
  what: `1,000 silent connections from ${from}`,
  act,
  processes: 1,
  count: { long: 1000, short: 1000 },
  seconds: { long: 15, short: 4 },
  defences: ['pending'],
  bound: `all of ${TRIES} honest dials work, everything is delivered, descriptors come back, ${MEMORY}`,
  held: (seen) => seen.dials === TRIES && everythingCame(seen) && givenBack(seen),
})

const misbehaving = (id: string, what: string, act: string): Attack => ({
  id,
  what,
  act,
  processes: 1,
  count: { long: 1, short: 1 },
  seconds: { long: 10, short: 5 },
  together: 'invalid-data',
  defences: ['exclusion'],
  bound: 'the misbehaving peer is disconnected and refused when it comes back, everything is delivered',
  held: (seen) => {
    const { connected = 1, refused = 0 } = seen.attacker
    return connected === 0 && refused > 0 && everythingCame(seen)
  },
})

const flood = (id: string, what: string, act: string, defence: Defence): Attack => ({
  id,
  what,
  act,
  processes: 2,
  count: { long: 4, short: 2 },
  seconds: { long: 15, short: 4 },
  defences: [defence, 'exclusion'],
  bound: 'everything is delivered, the event loop is held for less than 500 ms of processor time, p99 below 2.5 s',
  held: (seen) => everythingCame(seen) && soonEnough(seen) && seen.during.heldMs < 500,
})

export const ATTACKS: readonly Attack[] = [
  {
    id: 'S3',
    what: 'clients that ask on each protocol and vanish',
    act: 'vanish',
    processes: 2,
    count: { long: 500, short: 10 },
    seconds: { long: 20, short: 4 },
    warmsUp: true,
    defences: [],
    bound: `descriptors, timers and connections come back, ${MEMORY}, but for 1 KiB of each of the last 8,192 peers`,
    held: (seen) =>
      givenBack(seen, rememberedMiB(seen.attacker.clients ?? 0)) &&
      seen.after.peers <= seen.before.peers &&
      seen.after.timers - seen.before.timers <= 8,
  },
  misbehaving('S4', 'announcements under forged signatures', 'forgedAnnouncements'),
  misbehaving('S8', 'malformed gossip', 'malformedGossip'),
  misbehaving('S8b', 'records that no rule allows', 'invalidRecords'),
  misbehaving('S8c', 'sync that tells of nothing', 'badSync'),
  silence('S5', 'one address', 'silenceFromOne'),
  silence('S5b', '16 addresses', 'silenceFromSixteen'),
  flood('S6', 'empty gossip frames, as fast as they go', 'emptyFrames', 'rates'),
  flood('S6b', 'frames of the multiplexer alone: pings, and streams that are opened and reset', 'muxerFrames', 'muxer'),
  {
    id: 'S7',
    what: 'gossip frames of 3.9 MB from 8 peers',
    act: 'longFrames',
    processes: 1,
    count: { long: 8, short: 8 },
    seconds: { long: 15, short: 4 },
    defences: ['frame-size', 'rates', 'exclusion'],
    bound: `each try is cut off within ${WINDOW_MIB} MiB, RSS grows by less than ${RSS_MIB} MiB, everything is delivered, ${MEMORY}`,
    held: (seen) => {
      const small = seen.during.rssMiB - seen.before.rssMiB < RSS_MIB
      const { sentMiB = 1, cuts = 0 } = seen.attacker
      return sentMiB <= WINDOW_MIB * cuts && small && givenBack(seen) && everythingCame(seen) && soonEnough(seen)
    },
  },
  {
    id: 'S9',
    what: 'pages of statements that never end, from 6 peers',
    act: 'endlessPages',
    processes: 1,
    count: { long: 6, short: 6 },
    seconds: { long: 12, short: 4 },
    defences: ['exchange'],
    bound: 'at most 33 pages of each peer are asked for, then nothing; everything is delivered',
    held: (seen) => {
      const { requests = 0, quietMs = 0 } = seen.attacker
      return requests > 0 && requests <= 6 * 33 && quietMs > 1000 && everythingCame(seen)
    },
  },
  {
    id: 'S10',
    what: '300 connections to the API that say nothing and come again',
    act: 'silentApi',
    processes: 1,
    count: { long: 300, short: 300 },
    seconds: { long: 10, short: 4 },
    tries: 'call',
    defences: [],
    bound: `all of ${TRIES} calls over the operator's socket and as many from another address are answered, descriptors come back`,
    held: (seen) => seen.dials === TRIES && everythingCame(seen) && givenBack(seen),
  },
  {
    id: 'S16',
    what: 'archives of 1,024 small frames, of 99,999 files, and of a chunk that unpacks to more',
    act: 'bombs',
    processes: 1,
    count: { long: 3, short: 3 },
    seconds: { long: 10, short: 4 },
    defences: [],
    bound: `what is too large is not fetched and leaves nothing, of the false chunk only a begun fetch stays, ${MEMORY}`,
    held: (seen) => {
      const { manifests = 0, large = 1, chunks = 9 } = seen.attacker
      const files = seen.after.files - seen.before.files
      const asked = manifests >= 3 && large === 0 && chunks <= 4
      return asked && files <= BEGUN_FETCH_FILES && givenBack(seen) && everythingCame(seen)
    },
  },
]
