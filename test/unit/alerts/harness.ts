import type { AlertEvents } from '../../../src/alerts/events.ts'
import { createAlerts } from '../../../src/alerts/index.ts'
import type { Notice, SendNotice, WatchedEvents, WatchedNode, WatchedService } from '../../../src/alerts/types.ts'
import { manualClock } from '../../../src/base/clock.ts'
import { NotFoundError } from '../../../src/base/errors.ts'
import { createEvents } from '../../../src/base/events.ts'
import { silentLog } from '../../../src/base/log.ts'
import { nodeSchema } from '../../../src/config/files/node-schema.ts'
import { system } from '../../fixtures/system.ts'

const DEFAULTS = { author: 'stranger', expires: Number.MAX_SAFE_INTEGER }
type Service = Pick<WatchedService, 'name' | 'state'> & Partial<WatchedService> & { run?: { detail: string } }

/** Alerts of a node in memory, in a time that stands still. `send`: what takes the notices. `services`: at its start. */
export function watched(init: { send?: SendNotice; alerts?: object; services?: Record<string, Service> } = {}) {
  const clock = manualClock()
  const events = createEvents<WatchedEvents & AlertEvents>()
  const said: (readonly [name: string, detail: unknown])[] = []
  events.onAny((name, detail) => {
    if (name.startsWith('alert:')) said.push([name, detail])
  })
  const notices: Notice[] = []
  const state = {
    peers: 1,
    executors: [{ name: 'docker', available: true, detail: 'Docker 27' }],
    reach: 'direct',
    disk: undefined as string | undefined,
    clock: undefined as string | undefined,
    services: new Map(Object.entries(init.services ?? {})),
  }
  const node: WatchedNode = {
    peerId: 'peer',
    address: 'own',
    network: 'test',
    events,
    health: async () => ({ version: '1', peers: state.peers, executors: state.executors }),
    reachability: () => ({ state: state.reach, because: 'nobody answers' }),
    service(id) {
      const found = state.services.get(id)
      if (found === undefined) throw new NotFoundError('gone')
      return { ...DEFAULTS, ...found }
    },
    lists: {
      // few on each page, and none on the first
      services({ states, cursor = '-1' }) {
        const at = Number(cursor)
        const page = at < 0 ? [] : [...state.services].slice(at, at + 3)
        const fit = page.filter(([, service]) => states.some((each) => each === service.state))
        const next = at < 0 ? 0 : at + 3
        return {
          items: fit.map(([id, service]) => ({ id, ...DEFAULTS, ...service })),
          next: next < state.services.size ? String(next) : undefined,
        }
      },
    },
  }
  const take: SendNotice = async (notice) => void notices.push(notice)
  const { ALERTS } = nodeSchema.parse({ ALERTS: init.alerts ?? { other: { COMMAND: ['/bin/true'] } } })
  const alerts = createAlerts(
    {
      ...{ clock, rng: system.rng, log: silentLog(), node },
      probes: { disk: async () => state.disk, clock: async () => state.clock },
      send: () => init.send ?? take,
    },
    { alerts: ALERTS, version: '1' },
  )
  return {
    ...{ clock, events, alerts, notices, state, said },
    reported: () => notices.map(({ alert, state: what }) => `${alert} ${what}`),
    [Symbol.dispose]: () => alerts[Symbol.dispose](),
  }
}
