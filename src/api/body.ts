import { raceSignal } from 'race-signal'
import { type Clock, deadline } from '../base/clock.ts'
import { formatBytes } from '../base/format.ts'
import { HttpProblem } from './http-errors.ts'

/** Reads a small body whole. Throws 413 beyond `max` (before reading, where the header admits it) and 408 when it dawdles. */
export async function readBody(
  request: Request,
  { max, clock, timeoutMs }: { max: number; clock: Clock; timeoutMs: number },
): Promise<Uint8Array> {
  refuseLong(request, max)
  using patience = deadline(clock, timeoutMs, new HttpProblem(408, 'the body did not arrive in time'))
  const pieces: Uint8Array[] = []
  let size = 0
  for await (const piece of piecesOf(request, () => patience.signal)) {
    size += piece.byteLength
    if (size > max) throw tooLong(max)
    pieces.push(piece)
  }
  return Buffer.concat(pieces)
}

/** The body piece by piece, for what is too large to hold. Each piece must come within `idleMs`. */
export async function* streamBody(
  request: Request,
  { max, clock, idleMs }: { max: number; clock: Clock; idleMs: number },
): AsyncGenerator<Uint8Array> {
  refuseLong(request, max)
  let patience = deadline(clock, idleMs, new HttpProblem(408, 'the body stopped arriving'))
  let size = 0
  try {
    for await (const piece of piecesOf(request, () => patience.signal)) {
      patience[Symbol.dispose]()
      size += piece.byteLength
      if (size > max) throw tooLong(max)
      yield piece
      patience = deadline(clock, idleMs, new HttpProblem(408, 'the body stopped arriving'))
    }
  } finally {
    patience[Symbol.dispose]()
  }
}

/** `signal` is asked again before each piece. */
async function* piecesOf(request: Request, signal: () => AbortSignal): AsyncGenerator<Uint8Array> {
  if (request.body === null) return
  const reader = request.body.getReader()
  let whole = false
  try {
    for (;;) {
      const { done, value } = await raceSignal(reader.read().catch(cutOff), signal())
      if (done) {
        whole = true
        return
      }
      yield value
    }
  } finally {
    if (!whole) reader.cancel().catch(() => {})
  }
}

/** A client that disconnects halfway is not a failure of the node. */
function cutOff(cause: unknown): never {
  throw new HttpProblem(400, 'the body ended before it was complete', { cause })
}

function refuseLong(request: Request, max: number): void {
  const length = Number(request.headers.get('content-length') ?? 0)
  if (length > max) throw tooLong(max)
}

function tooLong(max: number): HttpProblem {
  return new HttpProblem(413, `the body is too large; allowed are at most ${formatBytes(max)}`)
}
