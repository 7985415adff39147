import { decodeAddress, formatAddress } from '../../../protocols/address.ts'
import { parseCid } from '../../../protocols/encoding.ts'
import type { Code, RetrievedCode, RetrieveOptions } from '../../code/index.ts'
import type { Journal } from '../../journal/index.ts'
import type { Network } from '../../network/index.ts'
import type { SignedServices } from '../../services/signed-services.ts'

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
  { code, network, signed, journal, own: address }: CodeLookupComponents,
  service: { readonly id: string; readonly code: string },
  options: Pick<RetrieveOptions, 'limits' | 'onProgress' | 'patienceMs'> & { signal: AbortSignal },
): Promise<RetrievedCode> {
  const body = signed.get(service.id)?.body
  const record = journal.announcements.get(service.id)
  const from = record?.from
  const publishers = await reach(network, body?.replyTo ?? [], options.signal)
  const peers = from === undefined ? publishers : [...publishers, from]
  const distance = body === undefined || record === undefined ? 0 : body.reach.depth - record.depth
  const own = body !== undefined && formatAddress(decodeAddress(body.author)) === address
  return await code.obtain(parseCid(service.code), { sources: body?.sources, own, peers, distance, ...options })
}

/** Dials the addresses that a service names; answers the peers that were reached. */
async function reach(
  network: Pick<Network, 'dial'>,
  addresses: readonly string[],
  signal: AbortSignal,
): Promise<string[]> {
  const dials = await Promise.allSettled(addresses.map((address) => network.dial(address, { signal })))
  return dials.flatMap((dial) => (dial.status === 'fulfilled' ? [dial.value] : []))
}
