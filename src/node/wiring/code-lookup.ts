import { decodeAddress, formatAddress } from '../../../protocols/address.ts'
import { type CID, parseCid } from '../../../protocols/encoding.ts'
import { archiveLimitsFor, type Code, type RetrievedCode, type RetrieveOptions } from '../../code/index.ts'
import type { Journal } from '../../journal/index.ts'
import type { Network } from '../../network/index.ts'
import type { Services } from '../../services/registry.ts'
import type { SignedServices } from '../../services/signed-services.ts'
import type { ServiceState } from '../../services/types.ts'

export interface CodeLookupComponents {
  code: Pick<Code, 'obtain'>
  network: Pick<Network, 'dial'>
  signed: Pick<SignedServices, 'get'>
  journal: Pick<Journal, 'announcements'>
  /** the node's own address */
  own: string
}

/** The code of a service, unpacked: from the store, its inline source, its publisher, the peer that announced it, the mesh, or another of its sources. */
export async function findCode(
  components: CodeLookupComponents,
  service: { readonly id: string; readonly code: string },
  options: Pick<RetrieveOptions, 'limits' | 'onProgress' | 'patienceMs'> & { signal: AbortSignal },
): Promise<RetrievedCode> {
  const sources = await findSources(components, service.id, options)
  return await components.code.obtain(parseCid(service.code), { ...sources, ...options })
}

/** Where the code of a service may be: its sources, its publisher, the peer that announced it. */
export async function findSources(
  { network, signed, journal, own: address }: Omit<CodeLookupComponents, 'code'>,
  service: string,
  { signal }: { signal?: AbortSignal | undefined },
): Promise<Pick<RetrieveOptions, 'service' | 'sources' | 'own' | 'author' | 'peers' | 'distance'>> {
  const body = signed.get(service)?.body
  const record = journal.announcements.get(service)
  const from = record?.from
  const publishers = await reach(network, body?.replyTo ?? [], signal)
  const peers = from === undefined ? publishers : [...publishers, from]
  const distance = body === undefined || record === undefined ? 0 : body.reach.depth - record.depth
  const author = body && formatAddress(decodeAddress(body.author))
  return { service, sources: body?.sources, own: author === address, author, peers, distance }
}

/**
 * Where code can be found that the node has use for: each attempt asks where another service says that has a run here, first
 * one that runs. Only where none has, those count that wait or were published here: what strangers announce of the same code
 * is nothing that a running service waits for. The limits are those of a run.
 */
export async function findSourcesOfCode(
  components: Omit<CodeLookupComponents, 'code'> & { services: Pick<Services, 'get' | 'idsByCode' | 'state'> },
  code: CID,
  attempt: number,
  options: { signal?: AbortSignal | undefined },
): Promise<RetrieveOptions> {
  const { services, signed } = components
  const entries = (services.idsByCode().get(code.toString()) ?? []).map(services.get)
  const named = entries
    .filter((entry) => entry !== undefined)
    .map((entry) => ({ id: entry.id, state: services.state(entry) }))
  const inState = (...states: ServiceState[]) => named.filter(({ state }) => states.includes(state))
  const begun = [...inState('running'), ...inState('accepted')]
  const asked = begun.length > 0 ? begun : inState('published', 'parked')
  const id = asked[attempt % asked.length]?.id
  if (id === undefined) return {}
  const disk = signed.get(id)?.body.resources.disk
  const limits = disk === undefined ? undefined : archiveLimitsFor(disk)
  return { ...(await findSources(components, id, options)), limits }
}

/** Dials the addresses that a service names; answers the peers that were reached. */
async function reach(
  network: Pick<Network, 'dial'>,
  addresses: readonly string[],
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const dials = await Promise.allSettled(addresses.map((address) => network.dial(address, { signal })))
  return dials.flatMap((dial) => (dial.status === 'fulfilled' ? [dial.value] : []))
}
