import { type Clock, deadline } from '../base/clock.ts'
import { TimeoutError } from '../base/errors.ts'
import { fetchBootstrapAddresses } from '../network/index.ts'

const ORIGIN_TIMEOUT_MS = 2_000
const MAX_ORIGINS = 8

/** Multiaddrs of the nodes whose APIs have these origins; of those that answer in time. */
export async function resolveOrigins(
  clock: Clock,
  origins: readonly string[],
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<string[]> {
  using limit = deadline(clock, ORIGIN_TIMEOUT_MS, new TimeoutError('it did not answer in time'), signal)
  const asked = origins.slice(0, MAX_ORIGINS).map((origin) => fetchBootstrapAddresses(origin, { signal: limit.signal }))
  const answers = await Promise.allSettled(asked)
  signal?.throwIfAborted()
  return answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
}
