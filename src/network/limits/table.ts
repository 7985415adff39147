import { MAX_RECEIPT_BYTES, MAX_REQUEST_BYTES, MAX_TUNNEL_FRAME_BYTES } from '../../../protocols/limits.ts'
import { RECEIPT_PROTOCOL } from '../../../protocols/receipt.ts'
import { ARCHIVE_PROTOCOL } from '../../../protocols/streams/archive.ts'
import { NEIGHBOUR_PROTOCOL } from '../../../protocols/streams/neighbour.ts'
import { RESULTS_PROTOCOL } from '../../../protocols/streams/results.ts'
import { STATUS_PROTOCOL } from '../../../protocols/streams/status.ts'
import { SYNC_PROTOCOL } from '../../../protocols/streams/sync.ts'
import { TUNNEL_PROTOCOL } from '../../../protocols/streams/tunnel.ts'
import { MAX_GOSSIP_FRAME_BYTES } from '../constants.ts'
import { DCUTR_PROTOCOL, HOP_PROTOCOL, STOP_PROTOCOL } from '../reachability/constants.ts'

const KIB = 1024
const MIB = 1024 * KIB

export type Rate = { readonly burst: number; readonly perSecond: number }

/** What one peer may send on one protocol. What is not named is not counted. */
export type ProtocolLimits = {
  /** Length-prefixed frames; each stream that is opened counts as one, too. */
  readonly frames?: Rate | undefined
  /** `credits`: the reader grants each byte before it is sent, so that nothing has to be counted. */
  readonly bytes?: Rate | 'credits' | undefined
  readonly maxFrameBytes?: number | undefined
}

type Matches = (protocol: string) => boolean

/** Streams that the peer opens. protocols/README.md has these numbers for other implementations. */
const INBOUND: readonly (readonly [Matches, ProtocolLimits])[] = [
  [
    isGossip,
    {
      // a service is one frame; ten times what a busy mesh carries over one connection
      frames: { burst: 4000, perSecond: 1000 },
      bytes: { burst: 8 * MIB, perSecond: 2 * MIB },
      maxFrameBytes: MAX_GOSSIP_FRAME_BYTES,
    },
  ],
  [
    isKad,
    {
      frames: { burst: 2000, perSecond: 200 },
      bytes: { burst: 4 * MIB, perSecond: 512 * KIB },
      // a statement of 4 KiB, or a score of peers with their addresses
      maxFrameBytes: 64 * KIB,
    },
  ],
  // a ping has no prefix, only 32 bytes; identify has nothing to send
  [isPing, { bytes: { burst: 16 * KIB, perSecond: KIB } }],
  [isIdentify, { frames: { burst: 64, perSecond: 2 }, bytes: { burst: 16 * KIB, perSecond: KIB } }],
  [
    exactly(SYNC_PROTOCOL),
    {
      frames: { burst: 1000, perSecond: 100 },
      bytes: { burst: 8 * MIB, perSecond: MIB },
      maxFrameBytes: MAX_REQUEST_BYTES,
    },
  ],
  [
    exactly(ARCHIVE_PROTOCOL),
    {
      frames: { burst: 2000, perSecond: 500 },
      bytes: { burst: MIB, perSecond: 128 * KIB },
      maxFrameBytes: MAX_REQUEST_BYTES,
    },
  ],
  [
    exactly(RESULTS_PROTOCOL),
    {
      // a request with its token for each chunk of 1 MiB
      frames: { burst: 2000, perSecond: 500 },
      bytes: { burst: MIB, perSecond: 128 * KIB },
      maxFrameBytes: MAX_REQUEST_BYTES,
    },
  ],
  [
    exactly(STATUS_PROTOCOL),
    {
      frames: { burst: 1000, perSecond: 200 },
      bytes: { burst: MIB, perSecond: 128 * KIB },
      maxFrameBytes: MAX_REQUEST_BYTES,
    },
  ],
  [
    exactly(RECEIPT_PROTOCOL),
    {
      frames: { burst: 2000, perSecond: 500 },
      bytes: { burst: 8 * MIB, perSecond: MIB },
      maxFrameBytes: MAX_RECEIPT_BYTES,
    },
  ],
  [
    exactly(TUNNEL_PROTOCOL),
    { frames: { burst: 40_000, perSecond: 20_000 }, bytes: 'credits', maxFrameBytes: MAX_TUNNEL_FRAME_BYTES + 1 },
  ],
  // it says all by being opened
  [
    exactly(NEIGHBOUR_PROTOCOL),
    { frames: { burst: 64, perSecond: 2 }, bytes: { burst: KIB, perSecond: 16 }, maxFrameBytes: KIB },
  ],
  // after its first message a stream carries a whole connection, whose streams are counted; the relay's bounds are in reachability/
  [exactly(HOP_PROTOCOL), {}],
  [exactly(STOP_PROTOCOL), {}],
  [
    exactly(DCUTR_PROTOCOL),
    { frames: { burst: 64, perSecond: 1 }, bytes: { burst: 64 * KIB, perSecond: KIB }, maxFrameBytes: 4 * KIB },
  ],
]

/** Protocols that an embedding program adds: their handlers bound what they read. */
const OTHER: ProtocolLimits = { frames: { burst: 40_000, perSecond: 20_000 } }

/** Streams that this node opens: what was asked for comes at the reader's pace; here is what the library reads by itself. */
const OUTBOUND: readonly (readonly [Matches, ProtocolLimits])[] = [
  // gossip goes one way on each stream
  [isGossip, { bytes: { burst: KIB, perSecond: 0 } }],
  [isKad, { bytes: { burst: 32 * MIB, perSecond: 4 * MIB }, maxFrameBytes: 256 * KIB }],
  [isPing, { bytes: { burst: 16 * KIB, perSecond: KIB } }],
  [isIdentify, { bytes: { burst: MIB, perSecond: 64 * KIB } }],
]

/** Is the protocol named here, with bounds of its own? */
export function hasLimits(protocol: string): boolean {
  return INBOUND.some(([matches]) => matches(protocol))
}

export function limitsOf(protocol: string, direction: 'inbound' | 'outbound'): ProtocolLimits {
  const table = direction === 'inbound' ? INBOUND : OUTBOUND
  const found = table.find(([matches]) => matches(protocol))
  if (found !== undefined) return found[1]
  return direction === 'inbound' ? OTHER : {}
}

function isGossip(protocol: string): boolean {
  return /^\/(meshsub|floodsub)\//.test(protocol)
}

function isKad(protocol: string): boolean {
  return protocol.endsWith('/kad/1.0.0')
}

function isPing(protocol: string): boolean {
  return protocol.startsWith('/ipfs/ping/')
}

function isIdentify(protocol: string): boolean {
  return protocol.startsWith('/ipfs/id/')
}

function exactly(wanted: string): Matches {
  return (protocol) => protocol === wanted
}
