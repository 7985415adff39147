import type { Duplex } from 'node:stream'
import { InputError, messageOf, UnavailableError } from '../base/errors.ts'
import { createWorkQueue } from '../base/work-queue.ts'
import { isAddress, isListedAddress, isPublicAddress } from './addresses.ts'
import { EgressRefusedError } from './errors.ts'
import type { ConnectOptions, Egress, EgressComponents, EgressHost, EgressInit, EgressPolicy } from './types.ts'

/** Addresses of one name that are tried. */
const MAX_ADDRESSES = 4
const MAX_WAITING = 64
const CUT = 'the policy in force does not allow it any more'

type Target = { readonly host: string; readonly port: number; readonly address: string }
type OwnNetworks = NonNullable<EgressComponents['ownNetworks']>
type Connection = Target & { readonly connection: Duplex }

/**
 * The way out of a confined process, which has no network of its own. A name is checked, resolved here, and its addresses
 * are checked; the connection is made to one of these very addresses, so that what a name leads to cannot change between.
 */
export function createEgress({ lookup, open, ownNetworks = () => [] }: EgressComponents, init: EgressInit): Egress {
  const { onDecision, listedIn } = init
  const policy = typeof init.policy === 'function' ? init.policy : () => init.policy as EgressPolicy
  // one process keeps no other waiting with names that nobody answers
  const lookups = createWorkQueue({ name: 'resolver', concurrency: 1, max: MAX_WAITING })
  const connections = new Set<Connection>()

  async function reachable(host: string, port: number): Promise<string[]> {
    // before the name is resolved: what is not granted costs no question to a resolver
    grantFor(policy(), host, port)
    const found = isAddress(host) ? [host] : await resolve(host)
    const allowed = found.filter((address) => mayReach(policy(), { host, port, address }, ownNetworks))
    if (allowed.length > 0) return allowed.slice(0, MAX_ADDRESSES)
    const [address] = found
    const leads = isAddress(host) ? 'is' : `leads to ${address}, which is`
    const isOwn = address !== undefined && isPublicAddress(address)
    const what = isOwn ? "an address of this machine's own network" : 'not a public address'
    throw new EgressRefusedError(
      `${host} ${leads} ${what}; such an address must be listed itself${listedIn === undefined ? '' : ` in ${listedIn}`}`,
    )
  }

  async function resolve(host: string): Promise<string[]> {
    const found = await lookups
      .add(() => lookup(host))
      .catch((cause) => {
        throw new UnavailableError(`${host} has no address (${messageOf(cause)})`, { cause })
      })
    if (found.length === 0) throw new UnavailableError(`${host} has no address`)
    return found.map(({ address }) => address)
  }

  async function openFirst(addresses: readonly string[], port: number, options: ConnectOptions) {
    let problem: unknown
    for (const address of addresses) {
      options.signal?.throwIfAborted()
      try {
        return { address, connection: await open(address, port, options) }
      } catch (error) {
        problem = error
      }
    }
    throw problem
  }

  return {
    async connect(target, port, options = {}) {
      const host = normalizeHost(target)
      try {
        const { address, connection } = await openFirst(await reachable(host, port), port, options)
        const made = { host, port, address, connection }
        if (!isAllowed(policy(), made, ownNetworks)) {
          connection.destroy()
          throw new EgressRefusedError(CUT)
        }
        connections.add(made)
        connection.once('close', () => connections.delete(made))
        onDecision?.({ host, port, allowed: true, address })
        return connection
      } catch (error) {
        onDecision?.({ host, port, allowed: false, reason: messageOf(error) })
        throw error
      }
    },
    revise() {
      for (const made of connections) {
        if (isAllowed(policy(), made, ownNetworks)) continue
        connections.delete(made)
        const { host, port, connection } = made
        connection.destroy(new EgressRefusedError(CUT))
        onDecision?.({ host, port, allowed: false, reason: CUT })
      }
    },
  }
}

/** As a policy spells it: lower case, without a dot at the end or brackets. */
export function normalizeHost(host: string): string {
  const bare = host
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '')
  if (!isAddress(bare) && !/^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/.test(bare)) {
    throw new InputError('that is not the name of a host')
  }
  return bare
}

/** Throws EgressRefusedError where the name may not be reached, wherever it leads. */
export function checkHost(policy: EgressPolicy, target: string, port: number): void {
  grantFor(policy, normalizeHost(target), port)
}

/** The name may be reached, and this address of it, too. */
function isAllowed(policy: EgressPolicy, target: Target, ownNetworks: OwnNetworks): boolean {
  try {
    return mayReach(policy, target, ownNetworks)
  } catch {
    return false
  }
}

/** May this address be connected to for its name? Throws where the name may not be reached. */
function mayReach(policy: EgressPolicy, { host, port, address }: Target, ownNetworks: OwnNetworks): boolean {
  if (grantFor(policy, host, port).privateAllowed === true) return true
  if (isPublicAddress(address) && !isListedAddress(address, ownNetworks())) return true
  const listed = (policy.privateTargets ?? []).filter((one) => one.port === port).map((one) => one.address)
  return isListedAddress(address, [...policy.addresses, ...listed])
}

/** Exactly this host, or below an entry at a dot: `evilgithub.com` is not below `github.com`. */
function grantFor(policy: EgressPolicy, host: string, port: number): Pick<EgressHost, 'privateAllowed'> {
  const entry = policy.hosts.find((one) => (one.port ?? port) === port && isHostOf(one, host))
  if (entry !== undefined) return entry
  if (isAddress(host) && isListedAddress(host, policy.addresses)) return {}
  const { publicPorts } = policy
  if ((publicPorts === 'any' || publicPorts?.includes(port) === true) && !isAddress(host)) return {}
  throw new EgressRefusedError(`${host}:${port} is not among the hosts that may be reached`)
}

function isHostOf(entry: EgressHost, host: string): boolean {
  if (entry.host === host) return true
  if (isAddress(host)) return false
  return entry.host.startsWith('*.')
    ? host.endsWith(entry.host.slice(1))
    : entry.subdomains && host.endsWith(`.${entry.host}`)
}
