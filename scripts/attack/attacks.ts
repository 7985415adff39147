import type { Defence } from '../../src/network/index.ts'
import type { Delivery } from './honest.ts'
import type { Figures } from './target.ts'
import type { Measure } from './victim.ts'

/** What was seen of one attack. */
export type Seen = {
  readonly before: Measure
  readonly during: Measure
  readonly after: Measure
  readonly delivery: Delivery
  readonly attacker: Figures
  /** of 20 dials of honest peers while it went on */
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
  readonly seconds: { readonly long: number; readonly short: number }
  /** What holds it, where that can be switched off. */
  readonly defences: readonly Defence[]
  /** One sentence. */
  readonly bound: string
  held(seen: Seen): boolean
}

const DIALS = 20
/** What a node's own work moves its memory by. */
const MEMORY_MIB = 64

const everythingCame = ({ delivery }: Seen) => delivery.came === delivery.sent
const soonEnough = ({ delivery }: Seen) => delivery.p99Ms >= 0 && delivery.p99Ms < 2500
const givenBack = ({ before, after }: Seen) =>
  after.rssMiB - before.rssMiB < MEMORY_MIB && after.descriptors - before.descriptors <= 4

const silence = (id: string, from: string, act: string): Attack => ({
  id,
  what: `1,000 silent connections from ${from}`,
  act,
  processes: 1,
  count: { long: 1000, short: 1000 },
  seconds: { long: 15, short: 6 },
  defences: ['pending'],
  bound: `all of ${DIALS} honest dials work, everything is delivered, descriptors come back`,
  held: (seen) => seen.dials === DIALS && everythingCame(seen) && givenBack(seen),
})

const liar = (id: string, what: string, act: string): Attack => ({
  id,
  what,
  act,
  processes: 1,
  count: { long: 1, short: 1 },
  seconds: { long: 10, short: 5 },
  defences: ['exclusion'],
  bound: 'the liar is disconnected and refused when it comes back, everything is delivered',
  held: (seen) => {
    const { connected = 1, refused = 0 } = seen.attacker
    return connected === 0 && refused > 0 && everythingCame(seen)
  },
})

export const ATTACKS: readonly Attack[] = [
  {
    id: 'S3',
    what: 'clients that ask on each protocol and vanish',
    act: 'vanish',
    processes: 1,
    count: { long: 1000, short: 24 },
    seconds: { long: 20, short: 5 },
    defences: [],
    bound: `descriptors, timers and connections come back, memory within ${MEMORY_MIB} MiB`,
    held: (seen) =>
      givenBack(seen) && seen.after.peers <= seen.before.peers && seen.after.timers - seen.before.timers <= 8,
  },
  liar('S4', 'announcements under forged signatures', 'forgedAnnouncements'),
  silence('S5', 'one address', 'silenceFromOne'),
  silence('S5b', '16 addresses', 'silenceFromSixteen'),
  {
    id: 'S6',
    what: 'empty gossip frames, as fast as they go',
    act: 'emptyFrames',
    processes: 2,
    count: { long: 4, short: 2 },
    seconds: { long: 15, short: 6 },
    defences: ['rates', 'exclusion'],
    bound: 'everything is delivered, the event loop is held for less than 500 ms, p99 below 2.5 s',
    held: (seen) => everythingCame(seen) && soonEnough(seen) && seen.during.heldMs < 500,
  },
  {
    id: 'S7',
    what: 'gossip frames of 3.9 MB from 8 peers',
    act: 'longFrames',
    processes: 1,
    count: { long: 8, short: 8 },
    seconds: { long: 15, short: 6 },
    defences: ['frame-size', 'rates', 'exclusion'],
    bound: `memory grows by less than ${MEMORY_MIB} MiB and comes back, everything is delivered`,
    held: (seen) =>
      seen.during.rssMiB - seen.before.rssMiB < MEMORY_MIB &&
      givenBack(seen) &&
      everythingCame(seen) &&
      soonEnough(seen),
  },
  liar('S8', 'malformed gossip', 'malformedGossip'),
  liar('S8b', 'records that no rule allows', 'invalidRecords'),
  liar('S8c', 'sync that tells of nothing', 'badSync'),
  {
    id: 'S9',
    what: 'pages of statements that never end, from 6 peers',
    act: 'endlessPages',
    processes: 1,
    count: { long: 6, short: 6 },
    seconds: { long: 12, short: 8 },
    defences: ['exchange'],
    bound: 'at most 33 pages of each peer are asked for, then nothing; everything is delivered',
    held: (seen) => {
      const { requests = 0, quietMs = 0 } = seen.attacker
      return requests > 0 && requests <= 6 * 33 && quietMs > 1000 && everythingCame(seen)
    },
  },
]
