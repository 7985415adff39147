import type { Clock } from '../base/clock.ts'
import { createLiveEngine } from './live/live-engine.ts'
import { createSimulatedEngine } from './simulated-engine.ts'
import type { Engine } from './types.ts'
import { createVirtualEngine } from './virtual/virtual-engine.ts'

/** Those of which a seed repeats a run. */
export const REPEATABLE_ENGINES = ['simulated', 'virtual'] as const
export const ENGINE_NAMES = [...REPEATABLE_ENGINES, 'live'] as const
export type EngineName = (typeof ENGINE_NAMES)[number]

export type EngineOptions = {
  /** of the live engine: its nodes are dealt out to so many processes */
  readonly processes?: number | undefined
}

export function engineOf(name: EngineName, components: { clock: Clock }, options: EngineOptions = {}): Engine {
  if (name === 'live') return createLiveEngine(options)
  return name === 'virtual' ? createVirtualEngine(components) : createSimulatedEngine(components)
}
