import type { Clock } from '../../base/clock.ts'
import type { Emitter } from '../../base/events.ts'
import type { Dormitory } from '../../execution/index.ts'
import type { Journal } from '../../journal/index.ts'
import type { AdmissionEvents } from '../events.ts'
import type { ReevaluationScope } from '../reevaluation/scope.ts'

/** By this name the journal remembers the pause. */
const KEY = 'pause'

/** A pause of this node. `since` in whole seconds (UTC). */
export type PauseView = { readonly since: number }

/** Whether this node is paused, over restarts: it stays so until the operator resumes it. */
export interface PauseState {
  readonly active: boolean
  view(): PauseView | undefined
  /** False where it was paused before. */
  begin(): boolean
  /** False where it was not paused. */
  end(): boolean
}

export function createPauseState({ clock, meta }: { clock: Clock; meta: Journal['meta'] }): PauseState {
  let since = Number(meta.get(KEY) || 0)

  function save(next: number): void {
    meta.set(KEY, String(next))
    since = next
  }

  return {
    get active() {
      return since > 0
    },
    view: () => (since > 0 ? { since } : undefined),
    begin() {
      if (since > 0) return false
      save(Math.floor(clock.now() / 1000))
      return true
    },
    end() {
      if (since === 0) return false
      save(0)
      return true
    },
  }
}

/** No new run begins here until the operator resumes it. What runs goes on, and its claims stay. */
export interface Pause {
  begin(): PauseView
  /** False where it was not paused. */
  end(): boolean
  view(): PauseView | undefined
}

export interface PauseComponents {
  events: Emitter<AdmissionEvents>
  state: PauseState
  dormitory: Pick<Dormitory, 'wake'>
  /** Decides again about what neither runs nor is parked, in the background. */
  reevaluateIdle(scope: ReevaluationScope): void
}

export function createPause({ events, state, dormitory, reevaluateIdle }: PauseComponents): Pause {
  return {
    begin() {
      if (state.begin()) events.emit('node:paused', {})
      return state.view() as PauseView
    },
    end() {
      if (!state.end()) return false
      dormitory.wake({ on: 'capacity' })
      // what found no place in the dormitory, or was there longer than it allows
      reevaluateIdle({ on: 'all' })
      events.emit('node:resumed', {})
      return true
    },
    view: () => state.view(),
  }
}
