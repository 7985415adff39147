import { type CID, parseCid } from '../../../protocols/encoding.ts'
import { trustSubjectOf } from '../../admission/trust-subject.ts'
import { archiveLimitsFor, type Code } from '../../code/index.ts'
import type { CodeProvider } from '../../execution/index.ts'
import type { Network } from '../../network/index.ts'
import type { Trust } from '../../trust/index.ts'
import { type CodeLookupComponents, findCode } from './code-lookup.ts'

/** Neighbours that are asked for code without the DHT having named them. */
const MAX_NEIGHBOURS = 16
/** How long prefetched code is searched for; for a run itself there is no limit. */
const PREFETCH_TIMEOUT_MS = 60_000

export interface CodeProviderComponents extends CodeLookupComponents {
  code: CodeLookupComponents['code'] & { readonly store: Pick<Code['store'], 'pin'> }
  trust: Pick<Trust, 'lookUp'>
}

/** Rejects where the run is not to begin. */
export type RunCheck = (id: string, options: { signal: AbortSignal }) => Promise<void>

export interface ServiceCode extends CodeProvider {
  /** Fetches and unpacks what may start soon; the store may evict it again. */
  prefetch(id: string, options: { signal: AbortSignal }): Promise<void>
  /** Registers a check that each run waits for, once its code is here. */
  beforeRun(check: RunCheck): void
}

/**
 * Obtains the code of a service for its run: from the store, its inline source, its publisher, or the mesh. Meanwhile the
 * mesh is asked, in bounded time, for attestations that are newer than the stapled ones. Then the checks are made: where
 * one fails, as when a hub has attested `unsafe`, the run does not begin.
 */
export function createCodeProvider(components: CodeProviderComponents): ServiceCode {
  const { signed: services, trust } = components
  const checks: RunCheck[] = []

  return {
    beforeRun: (check) => void checks.push(check),
    keep: (service) => components.code.store.pin(parseCid(service.code)),
    async prefetch(id, { signal }) {
      const body = services.get(id)?.body
      if (body !== undefined) {
        const found = await findCode(
          components,
          { id, code: body.code.toString() },
          { signal, patienceMs: PREFETCH_TIMEOUT_MS, limits: archiveLimitsFor(body.resources.disk) },
        )
        found.release()
      }
    },
    async obtain(service, { signal, diskBytes, onProgress }) {
      const signed = services.get(service.id)
      const asked = signed && trust.lookUp(trustSubjectOf(signed), { signal }).catch(() => {})
      const obtained = await findCode(components, service, {
        signal,
        limits: archiveLimitsFor(diskBytes),
        onProgress: ({ bytes, size }) => onProgress({ doneBytes: bytes, totalBytes: size }),
      })
      try {
        await asked
        for (const check of checks) await check(service.id, { signal })
        return { dir: obtained.dir, release: async () => obtained.release() }
      } catch (error) {
        obtained.release()
        throw error
      }
    },
  }
}

/** Peers that may serve a code: providers in the DHT, then a few neighbours (DHT lookups end at 20, in no order). */
export function providersOf(network: Pick<Network, 'dht' | 'peers'>) {
  return {
    async *findProviders(code: CID, options: { signal?: AbortSignal | undefined }): AsyncGenerator<string> {
      yield* network.dht.findProviders(code, options)
      for (const { peerId } of network.peers().slice(0, MAX_NEIGHBOURS)) yield peerId
    },
  }
}
