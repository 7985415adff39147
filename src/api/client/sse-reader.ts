/** One server-sent event as it came. */
export type SseEvent = { readonly event: string; readonly data: string; readonly id: string | undefined }

/** An event longer than this is no event of ours: who sends it means to fill the reader's memory. */
const MAX_EVENT_CHARS = 4 * 1024 * 1024

/** Reads an event stream (WHATWG HTML, section "Server-sent events") until it ends. */
export async function* readEventStream(body: AsyncIterable<Uint8Array>): AsyncGenerator<SseEvent> {
  let buffer = ''
  const decoder = new TextDecoder()
  for await (const piece of body) {
    buffer += decoder.decode(piece, { stream: true })
    let end = buffer.indexOf('\n\n')
    while (end >= 0) {
      const event = parseEvent(buffer.slice(0, end))
      if (event !== undefined) yield event
      buffer = buffer.slice(end + 2)
      end = buffer.indexOf('\n\n')
    }
    if (buffer.length > MAX_EVENT_CHARS) throw new Error('an event of the stream is too long')
  }
}

function parseEvent(block: string): SseEvent | undefined {
  let event = 'message'
  let id: string | undefined
  const data: string[] = []
  for (const line of block.split(/\r?\n/)) {
    const colon = line.indexOf(':')
    if (colon === 0) continue
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (field === 'event') event = value
    if (field === 'id') id = value
    if (field === 'data') data.push(value)
  }
  return data.length === 0 ? undefined : { event, data: data.join('\n'), id }
}
