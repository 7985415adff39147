import { type Clock, deadline } from '../base/clock.ts'
import { messageOf, TimeoutError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { createTokenBucket } from '../base/token-bucket.ts'
import { LOOKUP_MS, LOOKUP_TIMEOUT_MS, LOOKUPS_PER_SECOND, MAX_PROVIDERS } from './constants.ts'
import type { Entry } from './entry.ts'
import type { ClaimMesh } from './types.ts'

export interface ProviderLookupsComponents {
  readonly clock: Clock
  readonly log: Log
  readonly mesh: Pick<ClaimMesh, 'providers'>
}

/** Asks the DHT who is said to run a service, in the background: now and then, and not for many services at once. */
export function createProviderLookups(
  { clock, log, mesh }: ProviderLookupsComponents,
  { self, closing }: { self: string; closing: AbortSignal },
): { begin(entry: Entry): void } {
  const bucket = createTokenBucket({ burst: 16, perSecond: LOOKUPS_PER_SECOND }, () => clock.monotonic())

  async function look(entry: Entry): Promise<void> {
    using limit = deadline(clock, LOOKUP_TIMEOUT_MS, new TimeoutError('the DHT did not answer in time'), closing)
    const found = new Set<string>()
    for await (const peer of mesh.providers(entry.id, { signal: limit.signal })) {
      if (peer === self) continue
      if (found.add(peer).size >= MAX_PROVIDERS) break
      // a round need not wait for the end of the lookup
      entry.providers = new Set([...entry.providers, peer])
    }
    entry.providers = found
  }

  return {
    begin(entry) {
      if (clock.monotonic() - entry.lookedUpAt < LOOKUP_MS || !bucket.take()) return
      entry.lookedUpAt = clock.monotonic()
      look(entry).catch((error: unknown) => {
        if (!closing.aborted) log.debug('providers were not looked up', { id: entry.id, reason: messageOf(error) })
      })
    },
  }
}
