import type { Clock } from '../../base/clock.ts'
import { escapeUnseen } from '../../base/format.ts'

export type SseMessage = { readonly event: string; readonly data: unknown; readonly id?: string | undefined }

/** One reader's stream of server-sent events. What waits for a slow reader is bounded. */
export interface EventStream {
  readonly body: ReadableStream<Uint8Array>
  /** Aborts when the reader is gone or `end` was called. */
  readonly signal: AbortSignal
  /** False when the reader is gone, or was so far behind that it has been let go. */
  push(message: SseMessage): boolean
  /** Resolves when the reader has taken what waits for it; rejects with the signal. */
  drained(): Promise<void>
  end(): void
}

export type EventStreamInit = {
  readonly clock: Clock
  readonly heartbeatMs: number
  readonly maxBufferBytes: number
  /** Cuts the connection of a reader that does not read: closing the stream politely would wait for it. */
  readonly destroyConnection: () => void
}

const encoder = new TextEncoder()

export function createEventStream({
  clock,
  heartbeatMs,
  maxBufferBytes,
  destroyConnection,
}: EventStreamInit): EventStream {
  const over = new AbortController()
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined
  let wake: (() => void) | undefined
  const body = new ReadableStream<Uint8Array>(
    {
      start(given) {
        controller = given
      },
      pull: () => wake?.(),
      cancel: () => finish(),
    },
    { highWaterMark: maxBufferBytes, size: (piece) => piece?.byteLength ?? 0 },
  )

  function finish(): void {
    if (over.signal.aborted) return
    heartbeat.cancel()
    over.abort(new Error('the event stream has ended'))
    wake?.()
  }

  function write(text: string): boolean {
    if (over.signal.aborted || controller === undefined) return false
    const piece = encoder.encode(text)
    if ((controller.desiredSize ?? 0) >= piece.byteLength) {
      controller.enqueue(piece)
      return true
    }
    finish()
    controller.close()
    destroyConnection()
    return false
  }

  const heartbeat = clock.every(heartbeatMs, () => {
    // a reader that is busy with what waits for it needs no sign of life
    if ((controller?.desiredSize ?? 0) >= maxBufferBytes) write(':\n\n')
  })
  write(':\n\n')

  return {
    body,
    signal: over.signal,
    push: ({ event, data, id }) =>
      write(`event: ${event}\n${id === undefined ? '' : `id: ${id}\n`}data: ${escapeUnseen(JSON.stringify(data))}\n\n`),
    async drained() {
      while ((controller?.desiredSize ?? 0) < maxBufferBytes / 2) {
        over.signal.throwIfAborted()
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      over.signal.throwIfAborted()
    },
    end() {
      if (over.signal.aborted) return
      finish()
      controller?.close()
    },
  }
}
