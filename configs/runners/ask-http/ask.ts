/** `broken`: not a no of the other side, but no usable answer. */
export type Answer = { readonly yes: true } | { readonly yes: false; readonly why: string; readonly broken: boolean }

/** An answer is a word and a sentence; what is larger is some other page. */
const MAX_ANSWER_BYTES = 4096
const MAX_WHY = 200

/** Asks once. Never throws: whatever goes wrong is a no, and says why. */
export async function ask(url: URL, question: object, timeoutMs: number, signal: AbortSignal): Promise<Answer> {
  const late = AbortSignal.timeout(timeoutMs)
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(question),
      // an answer from elsewhere is not the one that was asked for
      redirect: 'error',
      signal: AbortSignal.any([signal, late]),
    })
    const text = await bounded(response)
    if (response.status !== 200) return broken(`it answered with status ${response.status}`)
    if (text === undefined) return broken(`its answer has more than ${MAX_ANSWER_BYTES} bytes`)
    return readAnswer(text)
  } catch (error) {
    if (signal.aborted) return broken('the node called the question off')
    return broken(late.aborted ? `no answer within ${timeoutMs} ms` : wordsFor(error))
  }
}

function readAnswer(text: string): Answer {
  let answer: unknown
  try {
    answer = JSON.parse(text)
  } catch {
    return broken('its answer is no JSON')
  }
  const { run, why } = (typeof answer === 'object' && answer !== null ? answer : {}) as { run?: unknown; why?: unknown }
  // true and nothing else: "true", 1 and {} are no yes
  if (run === true) return { yes: true }
  if (run !== false) return broken('its answer says neither true nor false')
  return { yes: false, why: typeof why === 'string' ? why.slice(0, MAX_WHY) : 'it gave no reason', broken: false }
}

/** The body as text; undefined, and not read any further, where it is too long. */
async function bounded(response: Response): Promise<string | undefined> {
  const pieces: Uint8Array[] = []
  let size = 0
  for await (const piece of response.body ?? []) {
    size += piece.byteLength
    // leaving the loop cancels the body
    if (size > MAX_ANSWER_BYTES) return undefined
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString('utf8')
}

function wordsFor(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  if (code === 'ERR_ACCESS_DENIED') {
    return 'this runner may not use the network; "RUNNER_NETWORK": true in services.json allows it'
  }
  if (code === 'ECONNREFUSED') return 'nobody listens there'
  return `it cannot be reached (${code === '' ? String(cause) : code})`.slice(0, MAX_WHY)
}

function broken(why: string): Answer {
  return { yes: false, why, broken: true }
}
