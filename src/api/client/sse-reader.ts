import { createParser, type EventSourceMessage } from 'eventsource-parser'

/** One server-sent event as it came. */
export type SseEvent = { readonly event: string; readonly data: string; readonly id: string | undefined }

/** A longer event is not one of a node's: its sender means to fill the reader's memory. */
const MAX_EVENT_CHARS = 4 * 1024 * 1024

/** Reads an event stream (WHATWG HTML, section "Server-sent events") until it ends. Throws where an event is too long. */
export async function* readEventStream(body: AsyncIterable<Uint8Array>): AsyncGenerator<SseEvent> {
  const ready: EventSourceMessage[] = []
  let failure: Error | undefined
  const parser = createParser({
    maxBufferSize: MAX_EVENT_CHARS,
    onEvent: (event) => ready.push(event),
    onError: (error) => {
      if (error.type === 'max-buffer-size-exceeded') failure = new Error('an event of the stream is too long')
    },
  })
  const decoder = new TextDecoder()
  for await (const piece of body) {
    parser.feed(decoder.decode(piece, { stream: true }))
    for (const { event = 'message', data, id } of ready.splice(0)) yield { event, data, id }
    if (failure !== undefined) throw failure
  }
}
