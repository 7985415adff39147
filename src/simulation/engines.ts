import type { Clock } from '../base/clock.ts'
import { createSimulatedEngine } from './simulated-engine.ts'
import type { Engine } from './types.ts'

export const ENGINE_NAMES = ['simulated'] as const
export type EngineName = (typeof ENGINE_NAMES)[number]

export function engineOf(_name: EngineName, components: { clock: Clock }): Engine {
  return createSimulatedEngine(components)
}
