import { isIPv4 } from 'node:net'
import type { SiblingPorts } from './siblings/types.ts'

/** What a run reaches as if it were there: the gateway listens in its place. A name, or an address of loopback, and a port. */
export type EgressTarget = { readonly host: string; readonly port: number }

/** The network of a plan. The node decides about each connection: `Run.serveEgress`. */
export type PlanEgress = {
  readonly targets: readonly EgressTarget[]
  /** The port of an HTTP proxy on loopback, for hosts that nothing listens in the place of. */
  readonly proxyPort?: number | undefined
  /** Where it finds the other runs of its service. */
  readonly siblings?: SiblingPorts | undefined
}

export type EgressListener = EgressTarget & { readonly address: string }

const LOCALHOST = '127.0.0.1'
/** At every address of loopback: the gateway names the one that was connected to. */
const ANY_ADDRESS = '0.0.0.0'
/** 127.0.1.1 to 127.0.1.254 */
const MAX_NAMES = 254
/** Where a run finds the proxy, unless the port is its own. */
export const PROXY_PORT = 3128
/** The first of the ports at which a run finds its siblings, unless it is its own. */
const SIBLINGS_PORT = 3200
export const proxyUrl = (port: number) => `http://${LOCALHOST}:${port}`

/**
 * Where a gateway listens: each name has a loopback address of its own, which the hosts file says; `localhost` and addresses
 * of loopback are themselves. No other address can be listened in the place of: it is reached through the proxy. Each address and
 * port is there once, however often, and by whatever names, an author asks for it.
 */
export function egressListeners(
  { targets, proxyPort, siblings }: PlanEgress,
  ports: readonly number[] = [],
): EgressListener[] {
  const names = { known: new Map<string, string>(), taken: new Set(targets.map(({ host }) => host)) }
  const all = targets.flatMap(({ host, port }) => {
    const address = addressFor(host, names)
    return address === undefined ? [] : [{ host, port, address }]
  })
  const first = (one: EgressListener) =>
    all.find(({ address, port }) => address === one.address && port === one.port) === one
  const listeners = all.filter(first)
  // what the run itself listens at is its own
  const ofOthers = listeners.filter(
    ({ address, port }) => address !== LOCALHOST || (port !== proxyPort && !ports.includes(port)),
  )
  return siblings === undefined ? ofOthers : [...ofOthers, ...siblingListeners(siblings)]
}

function siblingListeners({ list, ports }: SiblingPorts): EgressListener[] {
  return [
    { host: LOCALHOST, port: list, address: LOCALHOST },
    ...ports.map(({ port }) => ({ host: ANY_ADDRESS, port, address: ANY_ADDRESS })),
  ]
}

/** Can a gateway listen in the place of this host? */
export function isListenable(host: string): boolean {
  return isIPv4(host) ? host.startsWith('127.') : !host.includes(':') && !host.startsWith('*.')
}

/** Lines of a hosts file, as [name, address]. */
export function hostsEntries(listeners: readonly EgressListener[]): [string, string][] {
  const entries = listeners.filter(({ host }) => host !== 'localhost' && !isIPv4(host))
  return [...new Map(entries.map(({ host, address }) => [host, address]))]
}

/** The first port from 3128 on that neither the run nor what stands on its 127.0.0.1 has. */
export function freeProxyPort(ports: readonly number[], targets: readonly EgressTarget[] = []): number {
  return freePort(PROXY_PORT, new Set([...ports, ...targets.map(({ port }) => port)]))
}

/** Ports that clash with nothing that the run, or its gateway, listens at: the list first, then one for each name. */
export function siblingPorts(
  names: readonly string[],
  taken: { ports: readonly number[]; targets: readonly EgressTarget[]; proxyPort: number | undefined },
): SiblingPorts {
  const all = new Set([...taken.ports, ...taken.targets.map(({ port }) => port), taken.proxyPort ?? 0])
  const next = () => {
    const port = freePort(SIBLINGS_PORT, all)
    all.add(port)
    return port
  }
  return { list: next(), ports: names.map((name) => ({ name, port: next() })) }
}

function freePort(from: number, taken: ReadonlySet<number>): number {
  let port = from
  while (taken.has(port)) port++
  return port
}

/** Names the list of a run's siblings. */
export const SIBLINGS_VARIABLE = 'THUNDERCLOUD_SIBLINGS'
export const siblingsUrl = ({ list }: SiblingPorts) => `http://${LOCALHOST}:${list}/`

const VARIABLES = ['HTTP_PROXY', 'HTTPS_PROXY', 'http_proxy', 'https_proxy']
const WITHOUT = ['NO_PROXY', 'no_proxy']

/** For programs that ask a proxy. What is at loopback is the run's own, or is listened in the place of. */
export function proxyVariables(port: number): Record<string, string> {
  const own = `localhost,${LOCALHOST},::1`
  return {
    ...Object.fromEntries(VARIABLES.map((name) => [name, proxyUrl(port)])),
    ...Object.fromEntries(WITHOUT.map((name) => [name, own])),
    NODE_USE_ENV_PROXY: '1',
  }
}

function addressFor(
  host: string,
  { known, taken }: { known: Map<string, string>; taken: ReadonlySet<string> },
): string | undefined {
  if (!isListenable(host)) return undefined
  if (isIPv4(host)) return host
  if (host === 'localhost') return LOCALHOST
  const own = known.get(host)
  if (own !== undefined) return own
  const given = new Set(known.values())
  for (let last = 1; last <= MAX_NAMES; last++) {
    const address = `127.0.1.${last}`
    if (given.has(address) || taken.has(address)) continue
    known.set(host, address)
    return address
  }
  return undefined
}
