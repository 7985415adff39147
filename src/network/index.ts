export type { RecordValidator } from '../base/statement-sync.ts'
export type { NetworkEvents } from './events.ts'
export type { IncomingMessage, MessageValidator, ValidationResult } from './message-validator.ts'
export { createNetwork } from './network.ts'
export { fetchBootstrapAddresses } from './peers/http-bootstrap.ts'
export type { ReachabilityView } from './reachability/types.ts'
export { connectTunnel } from './tunnel/connect.ts'
export { openTunnel, readHello, readWelcome, sendHello, sendWelcome, serveTunnel } from './tunnel/tunnel.ts'
export type {
  Defence,
  HandleOptions,
  Network,
  NetworkComponents,
  NetworkHandlers,
  NetworkInit,
  NetworkPeer,
  SyncSource,
} from './types.ts'
