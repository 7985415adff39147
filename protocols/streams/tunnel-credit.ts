import { ProtocolError } from '../errors.ts'
import { TUNNEL_WINDOW_BYTES } from '../limits.ts'
import type { TunnelFrame } from './tunnel.ts'

/** What one side of a tunnel may send, and what it may be sent. */
export interface TunnelCredit {
  /** bytes that this side may send now */
  readonly left: number
  /** bytes that the other side may send now */
  readonly window: number
  /** Counts a frame that came; throws a ProtocolError where the other side was not free to send it. */
  received(frame: TunnelFrame): void
  /** Counts a frame that this side sends; throws where it is not free to. */
  sent(frame: TunnelFrame): void
}

export function createTunnelCredit(): TunnelCredit {
  const here = createWay('the other side')
  const there = createWay('this side')
  let isOver = false
  return {
    get left() {
      return there.left
    },
    get window() {
      return here.left
    },
    received(frame) {
      // it was under way when the reset was
      if (isOver) return
      if (frame.is === 'reset') isOver = true
      else if (frame.is === 'credit') there.give(frame.bytes, 'the other side')
      else here.carry(frame)
    },
    sent(frame) {
      if (isOver) throw new ProtocolError(frame.is, 'this side sent more after a reset')
      if (frame.is === 'reset') isOver = true
      else if (frame.is === 'credit') here.give(frame.bytes, 'this side')
      else there.carry(frame)
    },
  }
}

/** One direction: data uses its credit up, and nothing follows its end. */
function createWay(peer: string) {
  let left = TUNNEL_WINDOW_BYTES
  let ended = false
  return {
    get left() {
      return left
    },
    carry(frame: Exclude<TunnelFrame, { is: 'credit' | 'reset' }>): void {
      if (ended)
        throw new ProtocolError(frame.is, `${peer} sent ${frame.is === 'end' ? 'a second end' : 'data after its end'}`)
      if (frame.is === 'end') ended = true
      else if (frame.bytes.byteLength > left) throw new ProtocolError('data', `${peer} sent more than its credit`)
      else left -= frame.bytes.byteLength
    },
    give(bytes: number, giver: string): void {
      if (left + bytes > TUNNEL_WINDOW_BYTES) {
        throw new ProtocolError('credit', `${giver} gave credit for what was not sent`)
      }
      left += bytes
    },
  }
}
