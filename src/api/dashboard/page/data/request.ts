/** What the node answered instead of what was asked for: one sentence, and what to do where it says so. */
export class Problem extends Error {
  override readonly name = 'Problem'
  /** 0: no answer came */
  readonly status: number
  readonly code: string | undefined
  readonly fix: string | undefined

  constructor(message: string, details: { status: number; code?: string | undefined; fix?: string | undefined }) {
    super(message)
    this.status = details.status
    this.code = details.code
    this.fix = details.fix
  }
}

export type Call = {
  readonly method?: 'GET' | 'POST' | 'DELETE' | undefined
  readonly body?: BodyInit | undefined
  readonly type?: string | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly signal?: AbortSignal | undefined
}

/** A form of another page cannot set it: the node takes changes from a session with this header only. */
const FROM_DASHBOARD = { 'x-thundercloud': '1' }

/** Asks the node. Rejects with a Problem, or with the signal's reason. */
export async function request(
  path: string,
  { method = 'GET', body, type, signal, ...more }: Call = {},
): Promise<Response> {
  const headers = { ...FROM_DASHBOARD, ...more.headers, ...(type === undefined ? {} : { 'content-type': type }) }
  let response: Response
  try {
    response = await fetch(path, { method, headers, body: body ?? null, signal: signal ?? null, cache: 'no-store' })
  } catch {
    signal?.throwIfAborted()
    throw new Problem('The node does not answer.', { status: 0 })
  }
  if (!response.ok) throw await problemOf(response)
  return response
}

export async function ask<T>(path: string, call?: Call): Promise<T> {
  const response = await request(path, call)
  try {
    return (await response.json()) as T
  } catch {
    call?.signal?.throwIfAborted()
    throw new Problem('The answer of the node broke off.', { status: 0 })
  }
}

/** Sends JSON, or text that is JSON already. */
export function send<T>(path: string, value?: unknown, call: Call = {}): Promise<T> {
  const body = value === undefined || typeof value === 'string' ? value : JSON.stringify(value)
  return ask<T>(path, { method: 'POST', type: 'application/json', ...call, body })
}

/** Sends much, and says how much of it is sent, from 0 to 1: `fetch` does not tell. */
export function upload<T>(path: string, body: Blob, progress: (share: number) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const sending = new XMLHttpRequest()
    sending.open('POST', path)
    for (const [name, value] of Object.entries(FROM_DASHBOARD)) sending.setRequestHeader(name, value)
    sending.setRequestHeader('content-type', body.type)
    sending.upload.onprogress = ({ loaded, total }) => progress(total === 0 ? 0 : loaded / total)
    sending.onerror = () => reject(new Problem('The node does not answer, or the connection broke off.', { status: 0 }))
    sending.onload = () => {
      const { status, responseText } = sending
      const answer = new Response(responseText, { status })
      if (answer.ok) answer.json().then((value) => resolve(value as T), reject)
      else problemOf(answer).then(reject, reject)
    }
    sending.send(body)
  })
}

async function problemOf(response: Response): Promise<Problem> {
  const { status } = response
  const given: unknown = await response.json().catch(() => ({}))
  const { error, detail, title, code, fix } = given as Record<string, unknown>
  const sentence = [detail, error, title].find((text) => typeof text === 'string' && text !== '')
  return new Problem(sentence === undefined ? `The node answered with HTTP ${status}.` : sentenceOf(String(sentence)), {
    status,
    code: typeof code === 'string' ? code : undefined,
    fix: typeof fix === 'string' ? fix : undefined,
  })
}

/** The node's errors are written to follow a program's name: as a sentence of their own they begin with a capital. */
function sentenceOf(text: string): string {
  const first = text.charAt(0).toUpperCase() + text.slice(1)
  return /[.!?]$/.test(first) ? first : `${first}.`
}
