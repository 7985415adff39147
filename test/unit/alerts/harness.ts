import type { AlertEvents } from '../../../src/alerts/events.ts'
import { createAlerts } from '../../../src/alerts/index.ts'
import type { Notice, SendNotice, WatchedEvents, WatchedNode, WatchedService } from '../../../src/alerts/types.ts'
import { manualClock } from '../../../src/base/clock.ts'
import { NotFoundError } from '../../../src/base/errors.ts'
import { createEvents } from '../../../src/base/events.ts'
import { silentLog } from '../../../src/base/log.ts'
import { nodeSchema } from '../../../src/config/files/node-schema.ts'
import { system } from '../../fixtures/system.ts'

/** Alerts of a node in memory, in a time that stands still. `send`: what takes the notices. */
export function watched(init: { send?: SendNotice; alerts?: object } = {}) {
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
    services: new Map<string, Pick<WatchedService, 'name' | 'state'> & Partial<WatchedService>>(),
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
      return { author: 'stranger', expires: Number.MAX_SAFE_INTEGER, ...found }
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
    told: () => notices.map(({ alert, state: what }) => `${alert} ${what}`),
    [Symbol.dispose]: () => alerts[Symbol.dispose](),
  }
}
