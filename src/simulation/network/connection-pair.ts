import type { Clock } from '../../base/clock.ts'
import type { Link, WireEnd, WireHandlers } from './types.ts'

/** Bytes of one direction that are sent and have not arrived. */
const WINDOW_BYTES = 1024 * 1024
/** How long TCP waits before it sends again what did not arrive; twice as long each time. */
const RETRANSMIT_MS = 200

/** A connection, with its two ends: that of the host that asked for it, and the other one. */
export interface Pair {
  readonly ends: readonly [WireEnd, WireEnd]
  /** A cut may be gone: what it held back arrives when TCP sends it again. */
  onHealed(): void
}

type PairInit = {
  readonly link: Link
  readonly hosts: readonly [string, string]
  /** by host; connections of one host share what it can send */
  readonly leftAt: Map<string, number>
  readonly delayMs: () => number
  readonly reaches: (a: string, b: string) => boolean
  readonly onEnd: () => void
}

/** What both ends share. */
type State = {
  readonly init: PairInit
  /** how many ends have said that they send nothing more, and that has arrived */
  closed: number
  open: boolean
  /** what a cut holds back, in order, and since when */
  held: (() => void)[]
  heldSince: number
}

export function createPair(clock: Clock, init: PairInit): Pair {
  const state: State = { init, closed: 0, open: true, held: [], heldSince: 0 }
  const [a, b] = init.hosts
  const first: WireEnd = createEnd(clock, state, a, () => second)
  const second: WireEnd = createEnd(clock, state, b, () => first)
  return {
    ends: [first, second],
    onHealed() {
      if (state.held.length === 0 || !init.reaches(a, b)) return
      const now = clock.monotonic()
      clock.after(Math.ceil(nextAttempt(state.heldSince, now) - now + init.link.latencyMs), () => {
        // it may have been cut again meanwhile
        if (!init.reaches(a, b)) return
        for (let act = state.held.shift(); act !== undefined; act = state.held.shift()) act()
      })
    },
  }
}

/** When something is sent again that was sent first at `since`, not before `now`. */
function nextAttempt(since: number, now: number): number {
  let at = since
  for (let wait = RETRANSMIT_MS; at < now; wait *= 2) at += wait
  return at
}

function createEnd(clock: Clock, state: State, host: string, other: () => WireEnd): WireEnd {
  const { link, hosts, leftAt, delayMs, reaches } = state.init
  const due: (() => void)[] = []
  let arrivedAt = 0
  let underWay = 0
  let full = false

  /** At the other end, or later, where a cut is between. */
  function pass(act: () => void): void {
    if (state.held.length === 0 && reaches(hosts[0], hosts[1])) {
      act()
      return
    }
    if (state.held.length === 0) state.heldSince = clock.monotonic()
    state.held.push(act)
  }

  /** In order: the last bit of what was sent before arrives first. */
  function arrive(bytes: number, act: (handlers: WireHandlers | undefined) => void): void {
    const now = clock.monotonic()
    const left = Math.max(now, leftAt.get(host) ?? 0) + bytes / link.bytesPerMs
    leftAt.set(host, left)
    arrivedAt = Math.max(arrivedAt, left + link.latencyMs + delayMs())
    due.push(() => {
      if (!state.open) return
      pass(() => {
        if (state.open) act(other().handlers)
      })
    })
    // timers of a machine may overtake one another by a millisecond, what was sent may not
    clock.after(Math.ceil(arrivedAt - now), () => due.shift()?.())
  }

  const self: WireEnd = {
    handlers: undefined,
    get open() {
      return state.open
    },
    send(bytes) {
      underWay += bytes.byteLength
      arrive(bytes.byteLength, (handlers) => {
        underWay -= bytes.byteLength
        handlers?.onData(bytes)
        if (!full || underWay > WINDOW_BYTES / 2) return
        full = false
        self.handlers?.onDrain()
      })
      full = underWay >= WINDOW_BYTES
      return !full
    },
    close: () =>
      arrive(0, (handlers) => {
        handlers?.onClose()
        if (++state.closed < 2) return
        state.open = false
        state.init.onEnd()
      }),
    reset() {
      if (!state.open) return
      state.open = false
      clock.after(link.latencyMs, () =>
        pass(() => {
          other().handlers?.onReset()
          state.init.onEnd()
        }),
      )
    },
  }
  return self
}
