import { anySignal } from 'any-signal'
import { atWallTime } from '../../base/clock.ts'
import type { StepContext } from './worker-types.ts'

/** Does a part of a step that ends when the run is interrupted, or expires: then with this error. */
export async function untilExpiry<T>(
  { components, init, spec, interrupt, dispatch }: StepContext,
  expired: Error,
  act: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { clock } = components
  const expiresAt = spec.service.expires * 1000
  const expiry = new AbortController()
  const expire = () => {
    dispatch({ type: 'expired', why: 'it expired', graceMs: init.graceMs })
    expiry.abort(expired)
  }
  if (expiresAt <= clock.now()) expire()
  expiry.signal.throwIfAborted()
  using _timer = atWallTime(clock, expiresAt, expire)
  const signal = anySignal([interrupt, expiry.signal])
  try {
    return await act(signal)
  } finally {
    signal.clear()
  }
}
