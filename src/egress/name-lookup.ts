import { promises as dns, type LookupAddress } from 'node:dns'
import { readFile } from 'node:fs/promises'
import { raceSignal } from 'race-signal'
import { type Clock, deadline } from '../base/clock.ts'
import { TimeoutError, UnavailableError } from '../base/errors.ts'
import { LruMap } from '../base/lru-map.ts'
import { createWorkQueue } from '../base/work-queue.ts'
import { isAddress } from './addresses.ts'

const LOOKUP_MS = 15_000
/**
 * The system's own lookup takes a thread for as long as a resolver is silent, and cannot be stopped. libuv gives lookups two
 * threads: one is for the node itself.
 */
const MAX_SYSTEM_LOOKUPS = 1
const MAX_WAITING = 256
/** A lookup by the system that takes longer has met a silent server. */
const SLOW_MS = 1_000
/** What the system found is good for so long where it cannot be asked again. */
const KNOWN_MS = 10 * 60_000
const MAX_KNOWN = 256
/** Of DNS: says that the name is not there, or that nobody can be asked. The system may know the name by another way. */
const NOT_IN_DNS = ['ENOTFOUND', 'ENODATA', 'ECONNREFUSED', 'ESERVFAIL', 'EREFUSED', 'ENOTIMP', 'EFORMERR']

export type NameLookupInit = {
  readonly clock: Clock
  /** as the machine does it, with a thread */
  readonly system: (host: string) => Promise<LookupAddress[]>
  /** Asks DNS without one, once. Undefined: the machine's resolver is no DNS server, and the system alone is asked. */
  readonly createResolver?: (() => Pick<dns.Resolver, 'resolve4' | 'resolve6' | 'cancel'>) | undefined
  readonly hostsFile?: string | undefined
}

/** On Linux as the Go resolver does it: the hosts file, then DNS without a thread. Elsewhere the system has more to say. */
export function machineResolver(platform = process.platform): Pick<NameLookupInit, 'createResolver' | 'hostsFile'> {
  if (platform !== 'linux') return {}
  return { createResolver: () => new dns.Resolver({ timeout: 5_000, tries: 2 }), hostsFile: '/etc/hosts' }
}

/**
 * Looks names up so that one whose server is silent keeps no other waiting: the question to DNS takes no thread, and ends
 * with its deadline. Names that are not in DNS (one label, a search domain, mDNS) are left to the system.
 */
export function createNameLookup({ clock, system, createResolver, hostsFile }: NameLookupInit) {
  const threads = createWorkQueue({ name: 'resolver', concurrency: MAX_SYSTEM_LOOKUPS, max: MAX_WAITING })
  /** Until then the thread is left to names that DNS cannot have. */
  let restsUntil = Number.NEGATIVE_INFINITY
  const known = new LruMap<string, { readonly addresses: LookupAddress[]; readonly until: number }>(MAX_KNOWN)

  /**
   * A name with a dot that DNS does not have. Whose zone it is can have the system ask a silent server of theirs, again and again:
   * for as long as such a lookup has held the thread, no other of them is asked of the system after it. So it is where the
   * name was found, as their server may answer late. Names that were found not long ago are known meanwhile.
   */
  async function bySystemInTurn(host: string, signal: AbortSignal): Promise<LookupAddress[]> {
    const asked = threads.add(async () => {
      signal.throwIfAborted()
      const startedAt = clock.monotonic()
      if (startedAt < restsUntil) {
        const { addresses, until } = known.get(host) ?? { addresses: [], until: startedAt }
        if (startedAt < until) return addresses
        throw new UnavailableError(
          "it is not in DNS, and the system's own lookup is held up by such names; it is asked later",
        )
      }
      try {
        known.delete(host)
        const addresses = await system(host)
        if (addresses.length > 0) known.set(host, { addresses, until: clock.monotonic() + KNOWN_MS })
        return addresses
      } finally {
        const tookMs = clock.monotonic() - startedAt
        if (tookMs > SLOW_MS) restsUntil = clock.monotonic() + tookMs
      }
    })
    return await raceSignal(asked, signal)
  }

  async function bySystem(host: string, signal: AbortSignal): Promise<LookupAddress[]> {
    const asked = threads.add(async () => {
      // nobody waits for it any more, and others do for the thread
      signal.throwIfAborted()
      return await system(host)
    })
    return await raceSignal(asked, signal)
  }

  return async function lookup(host: string): Promise<LookupAddress[]> {
    using limit = deadline(clock, LOOKUP_MS, new TimeoutError('the resolver does not answer in time'))
    const { signal } = limit
    if (createResolver === undefined) return await bySystem(host, signal)
    const listed = hostsFile === undefined ? [] : await inHostsFile(hostsFile, host)
    if (listed.length > 0) return listed
    if (!host.includes('.') || host.endsWith('.local')) return await bySystem(host, signal)
    const found = await inDns(createResolver(), host, signal)
    return found.length > 0 ? found : await bySystemInTurn(host, signal)
  }
}

/** Both families in turn; none where the name is not in DNS. Throws where a server does not answer. */
async function inDns(
  resolver: ReturnType<NonNullable<NameLookupInit['createResolver']>>,
  host: string,
  signal: AbortSignal,
): Promise<LookupAddress[]> {
  const asked = Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)])
  const answers = await raceSignal(asked, signal).finally(() => resolver.cancel())
  const [four = [], six = []] = answers.map((answer) => (answer.status === 'fulfilled' ? answer.value : []))
  const found = Array.from({ length: Math.max(four.length, six.length) }, (_, at) => [
    { address: four[at] ?? '', family: 4 },
    { address: six[at] ?? '', family: 6 },
  ]).flat()
  const silent = answers.find((answer) => answer.status === 'rejected' && !NOT_IN_DNS.includes(answer.reason?.code))
  if (found.length === 0 && silent?.status === 'rejected') {
    throw new TimeoutError('the resolver does not answer in time', { cause: silent.reason })
  }
  return found.filter(({ address }) => address !== '')
}

async function inHostsFile(path: string, host: string): Promise<LookupAddress[]> {
  const text = await readFile(path, 'utf8').catch(() => '')
  return text.split('\n').flatMap((line) => {
    const [address = '', ...names] = line.replace(/#.*/, '').trim().split(/\s+/)
    if (!isAddress(address) || !names.some((name) => name.toLowerCase() === host)) return []
    return [{ address, family: address.includes(':') ? 6 : 4 }]
  })
}
