export { createLightPeer, type LightPeer } from '../light-peer/light-peer.ts'
export { createNode } from './create-node.ts'
export type { NodeEvents } from './events.ts'
export type * from './types.ts'
