/**
 * The one way out of the node's confined processes. They have no network: they ask the gateway for a host and a port, the
 * gateway decides, resolves the name, checks the address and connects. Fetches of code use it.
 */
export { isAddressRange, isPublicAddress } from './addresses.ts'
export { checkHost, createEgress } from './egress.ts'
export { machineNetwork } from './machine-network.ts'
export { bareHost, namedHost, portOfUrl } from './named-host.ts'
export { type EgressServer, type ServeOptions, serveEgress } from './serve.ts'
export type { Egress, EgressComponents, EgressDecision, EgressHost, EgressPolicy } from './types.ts'
