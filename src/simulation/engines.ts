import type { Clock } from '../base/clock.ts'
import { createSimulatedEngine } from './simulated-engine.ts'
import type { Engine } from './types.ts'
import { createVirtualEngine } from './virtual/virtual-engine.ts'

export const ENGINE_NAMES = ['simulated', 'virtual'] as const
export type EngineName = (typeof ENGINE_NAMES)[number]

export function engineOf(name: EngineName, components: { clock: Clock }): Engine {
  return name === 'virtual' ? createVirtualEngine(components) : createSimulatedEngine(components)
}
