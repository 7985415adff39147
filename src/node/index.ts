export type * from './contract.ts'
export { createNode } from './create-node.ts'
export type { NodeEvents } from './events.ts'
export { createLightPeer, type LightPeer } from './light.ts'
