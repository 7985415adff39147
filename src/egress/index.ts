/**
 * The one way out of the node's confined processes. They have no network: they ask the gateway for a host and a port, the
 * gateway decides, resolves the name, checks the address and connects. Fetches of code use it.
 */
export { isAddressRange } from './addresses.ts'
export { checkHost, createEgress } from './egress.ts'
export { machineNetwork } from './machine-network.ts'
export { bareHost, namedHost, portOfUrl } from './named-host.ts'
export { type EgressServer, serveEgress } from './serve.ts'
export type { Egress, EgressComponents, EgressPolicy } from './types.ts'
