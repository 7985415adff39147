import { type CID, parseCid } from '../../protocols/encoding.ts'
import type { Code, ObtainedCode, ObtainOptions } from '../code/index.ts'
import type { CodeProvider } from '../execution/index.ts'
import type { Journal } from '../journal/index.ts'
import type { Network } from '../network/index.ts'
import type { Trust } from '../trust/index.ts'
import type { Services } from './services.ts'
import { trustSubjectOf } from './trusting.ts'

/** Neighbours that are asked for code without the DHT having named them. */
const MAX_NEIGHBOURS = 16
/** What may start soon is given up when it can not be had; the run itself tries for as long as it takes. */
const AHEAD_PATIENCE_MS = 60_000

export interface CodeProviderComponents {
  code: Pick<Code, 'obtain'>
  network: Pick<Network, 'dial'>
  services: Services
  journal: Pick<Journal, 'announcements'>
  trust: Pick<Trust, 'lookUp'>
  /** Resolves when what was learnt has had its consequences. */
  settled(id: string, options: { signal: AbortSignal }): Promise<void>
}

/**
 * Obtains the code of a service for its run: from the store, its inline source, its publisher, or the mesh. Meanwhile the
 * mesh is asked, in bounded time, for a newer word on it than the one that was stapled; where a hub has called it unsafe,
 * the run is called off before it begins.
 */
export function createCodeProvider(
  components: CodeProviderComponents,
): CodeProvider & { ahead(id: string, options: { signal: AbortSignal }): Promise<void> } {
  const { code, network, services, journal, trust } = components

  async function find(
    service: { id: string; code: string },
    options: Pick<ObtainOptions, 'onProgress' | 'patienceMs'> & { signal: AbortSignal },
  ): Promise<ObtainedCode> {
    const body = services.get(service.id)?.signed.body
    const from = journal.announcements.get(service.id)?.from
    const publishers = await reach(network, body?.replyTo ?? [], options.signal)
    const peers = from === undefined ? publishers : [...publishers, from]
    return await code.obtain(parseCid(service.code), { sources: body?.sources, peers, ...options })
  }

  return {
    /** Fetches and unpacks what may start soon; the store may evict it again. */
    async ahead(id, { signal }) {
      const body = services.get(id)?.signed.body
      if (body !== undefined) {
        const found = await find({ id, code: body.code.toString() }, { signal, patienceMs: AHEAD_PATIENCE_MS })
        found.release()
      }
    },
    async obtain(service, { signal, onProgress }) {
      const signed = services.get(service.id)?.signed
      const asked = signed && trust.lookUp(trustSubjectOf(signed), { signal }).catch(() => {})
      const obtained = await find(service, {
        signal,
        onProgress: ({ bytes, size }) => onProgress({ doneBytes: bytes, totalBytes: size }),
      })
      try {
        await asked
        await components.settled(service.id, { signal })
        return { dir: obtained.dir, release: async () => obtained.release() }
      } catch (error) {
        obtained.release()
        throw error
      }
    },
  }
}

/** Who may serve a code: what the DHT says, then a few neighbours (its lookups end at 20 and in no order). */
export function providersOf(network: Pick<Network, 'dht' | 'peers'>) {
  return {
    async *findProviders(code: CID, options: { signal?: AbortSignal | undefined }): AsyncGenerator<string> {
      yield* network.dht.findProviders(code, options)
      for (const { peerId } of network.peers().slice(0, MAX_NEIGHBOURS)) yield peerId
    },
  }
}

/** Dials those that a service names; answers who was reached. */
export async function reach(
  network: Pick<Network, 'dial'>,
  addresses: readonly string[],
  signal: AbortSignal,
): Promise<string[]> {
  const dials = await Promise.allSettled(addresses.map((address) => network.dial(address, { signal })))
  return dials.flatMap((dial) => (dial.status === 'fulfilled' ? [dial.value] : []))
}
