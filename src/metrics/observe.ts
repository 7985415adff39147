import type { Verdict } from '../base/verdict.ts'
import type { NodeEvents } from '../node/events.ts'
import type { Instruments } from './registry.ts'
import type { Measured } from './types.ts'

type Handlers = { readonly [Name in keyof NodeEvents]?: (detail: NodeEvents[Name]) => void }

/** Counts the events of a node. */
export function observe({ events }: Measured, { count, time }: Instruments): Disposable {
  const handlers: Handlers = {
    ...gossipHandlers({ count, time }),
    ...runHandlers({ count, time }),
    ...codeHandlers({ count, time }),
    ...trustHandlers({ count, time }),
    'node:receipt': ({ state }) => count('receipts', { state }),
    'node:tunnel-opened': () => count('tunnels_opened'),
    'node:tunnel-refused': () => count('tunnels_refused'),
    'node:policy-refused': () => count('policies_refused'),
    'alert:delivered': ({ alert }) => count('alerts', { alert, outcome: 'delivered' }),
    'alert:undelivered': ({ alert, again }) => count('alerts', { alert, outcome: again ? 'tried again' : 'failed' }),
    'alert:dropped': ({ alert }) => count('alerts', { alert, outcome: 'dropped' }),
  }
  const stack = new DisposableStack()
  for (const [name, handler] of Object.entries(handlers)) {
    stack.use(events.on(name as keyof NodeEvents, handler as (detail: unknown) => void))
  }
  return stack
}

type Counts = Pick<Instruments, 'count' | 'time'>

function gossipHandlers({ count }: Counts): Handlers {
  return {
    'intake:received': ({ kind, via }) => count('announcements_received', { kind, via }),
    'intake:refused': ({ via }) => count('announcements_refused', { via }),
    'intake:early': ({ via }) => count('announcements_dropped', { why: 'early', via }),
    'intake:dropped': ({ why, via }) => count('announcements_dropped', { why, via }),
    'intake:emitted': ({ how }) => count('announcements_emitted', { how }),
    'network:gossip-arrived': ({ topic, bytes, answer }) => {
      count('gossip_arrived', { topic, answer })
      count('gossip_arrived_bytes', { topic }, bytes)
    },
    'network:gossip-published': ({ topic, outcome }) => count('gossip_published', { topic, outcome }),
    'network:synced': ({ pulled }) => {
      count('sync_rounds')
      count('sync_pulled', {}, pulled)
    },
    'network:peer-connected': ({ direction }) => count('peers_connected', { direction }),
    'network:excluded': () => count('peers_excluded'),
    'network:refused': () => count('peers_refused'),
    'network:dial-failed': () => count('dial_failures'),
  }
}

function runHandlers({ count, time }: Counts): Handlers {
  return {
    'node:verdict': ({ verdict, failure, tookMs }) => {
      time('verdict_seconds', tookMs / 1000)
      if (failure === undefined) count('verdicts', { verdict: verdictName(verdict) })
      else count('verdict_failures')
    },
    'node:woken': ({ to }) => count('services_woken', { to }),
    'node:evicted': () => count('services_evicted'),
    'execution:state': ({ executor, state, restarts }) => {
      count('run_transitions', { executor, state })
      if (state === 'starting' && restarts > 0) count('run_restarts', { executor })
    },
    'execution:healthy': ({ afterMs }) => time('healthy_seconds', afterMs / 1000),
    'execution:orphan-removed': ({ executor }) => count('orphans_removed', { executor }),
    'runner:failed': ({ kind }) => count('runner_failures', { kind }),
    'runner:died': ({ kind }) => count('runner_deaths', { kind }),
  }
}

function codeHandlers({ count, time }: Counts): Handlers {
  return {
    'code:fetch-finished': ({ from, ms }) => {
      count('code_fetches', { from })
      time('code_fetch_seconds', ms / 1000)
    },
    'code:fetch-failed': () => count('code_fetch_failures'),
    'code:provider-invalid': () => count('code_provider_faults'),
    'code:served': ({ bytes }) => count('code_served_bytes', {}, bytes),
  }
}

function trustHandlers({ count }: Counts): Handlers {
  return {
    'trust:statement': ({ kind, via }) => count('statements', { kind, via }),
    'trust:refused': ({ via }) => count('statements_refused', { via }),
    'trust:dropped': ({ why }) => count('statements_dropped', { why }),
    'trust:looked-up': ({ failed }) => count('trust_lookups', { outcome: failed === 0 ? 'complete' : 'partial' }),
    'hub:examined': ({ verdict }) => count('hub_examinations', { outcome: verdict }),
    'hub:failed': () => count('hub_examinations', { outcome: 'failed' }),
    'hub:passed-over': () => count('hub_examinations', { outcome: 'passed over' }),
  }
}

/** In the words of the program: a service that runs may be passed on too. */
function verdictName({ run, redirect, park }: Verdict): string {
  if (run !== false) return 'run'
  if (park !== undefined && park.length > 0) return 'park'
  return redirect ? 'redirect' : 'drop'
}
