import { type Clock, deadline } from '../base/clock.ts'
import { errnoOf, InputError, systemMessageOf, TimeoutError, UnavailableError } from '../base/errors.ts'
import { formatMs } from '../base/format.ts'
import type { SendNotice } from './types.ts'

type Webhook = { readonly url: string; readonly timeoutMs: number; readonly version: string }

/** Answers after which the same may work later, beside those of a fault of the server. */
const LATER: ReadonlySet<number> = new Set([408, 425, 429])

/** Posts the notice. What the server answers is not read, and where it leads is not followed. */
export function sendByWebhook(clock: Clock, { url, timeoutMs, version }: Webhook): SendNotice {
  return async (notice, { signal }) => {
    using limit = deadline(clock, timeoutMs, new TimeoutError(`no answer within ${formatMs(timeoutMs)}`), signal)
    const response = await post(url, { notice, version, signal: limit.signal })
    // its end would be waited for, and it may have none
    response.body?.cancel().catch(() => {})
    const { status } = response
    if (status >= 200 && status < 300) return
    if (status >= 300 && status < 400) {
      throw new InputError(`it answers with a redirect (HTTP ${status}), which is not followed; write where it leads`)
    }
    const said = `it answers HTTP ${status}`
    throw status >= 500 || LATER.has(status) ? new UnavailableError(said) : new InputError(said)
  }
}

async function post(
  url: string,
  { notice, version, signal }: { notice: object; version: string; signal: AbortSignal },
): Promise<Response> {
  try {
    return await fetch(url, {
      method: 'POST',
      redirect: 'manual',
      headers: { 'content-type': 'application/json', 'user-agent': `thundercloud/${version}` },
      body: JSON.stringify(notice),
      signal,
    })
  } catch (error) {
    signal.throwIfAborted()
    // the address itself may be a secret: only its host is named, where the cause does
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
    throw new UnavailableError(
      `it cannot be reached: ${errnoOf(cause) === undefined ? 'the connection failed' : systemMessageOf(cause)}`,
    )
  }
}
