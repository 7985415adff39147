import type { Clock } from '../base/clock.ts'
import type { Supervisor } from '../execution/index.ts'
import type { Journal } from '../journal/index.ts'
import type { Services } from '../services/registry.ts'
import { subjectOf } from './decide-service.ts'
import type { Subject } from './evaluate.ts'

export interface LiveServicesComponents {
  clock: Clock
  journal: Pick<Journal, 'stops'>
  services: Pick<Services, 'get'>
  supervisor: Pick<Supervisor, 'granted'>
}

/** The services that may still be decided about. */
export interface LiveServices {
  /** What is live, and a version that was replaced as long as it runs: its update has failed, or is not healthy yet. */
  subjectOf(id: string): Subject | undefined
  isSuperseded(id: string): boolean
  /** Those whose run is under way. */
  running(): string[]
}

export function createLiveServices(components: LiveServicesComponents): LiveServices {
  const { clock, journal, services, supervisor } = components

  function running(): string[] {
    return supervisor.granted().flatMap(({ service, ending }) => (ending ? [] : [service]))
  }

  return {
    running,
    isSuperseded: (id) => services.get(id)?.record.state === 'superseded',
    subjectOf(id) {
      const entry = services.get(id)
      if (entry === undefined || journal.stops.has(id)) return undefined
      const { state, expires } = entry.record
      if (state !== 'live' && !(state === 'superseded' && running().includes(id))) return undefined
      return expires * 1000 > clock.now() ? subjectOf(entry) : undefined
    },
  }
}
