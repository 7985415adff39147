import type { SimEvent } from '../../../../src/simulation/events.ts'
import { NONE } from '../../../../src/simulation/tables.ts'
import type { Told } from '../../../fixtures/simulation-run.ts'

export const SERVICE = { kind: 'service', replicas: 0, endsMs: 9e6, memoryBytes: 1000 } as const

/** Each breaks one invariant on purpose: what it does to the good run, and what is said of it. */
export const BROKEN: Readonly<Record<string, { how(told: Told): void; said: string }[]>> = {
  'depth-never-raised': [
    {
      how({ spread }) {
        spread.emittedDepth[1] = 2
      },
      said: 'service 0 at node 1: it got depth 2 and sent depth 2 on; it must be less',
    },
    {
      how({ spread }) {
        spread.bestDepth[2] = 5
      },
      said: 'service 0 at node 2: it got depth 1, at best 5, but the author signed 2',
    },
    {
      how({ spread }) {
        spread.firstDepth[3] = 1
        spread.bestDepth[3] = 1
      },
      said: 'service 0 at node 3: it got depth 1 from node 2, which sent at most 0',
    },
    {
      how({ spread }) {
        spread.emittedDepth[2] = NONE
      },
      said: 'service 0 at node 3: it got depth 0 from node 2, which sent nothing',
    },
  ],
  'no-emission-twice': [
    {
      how: ({ events }) => void events.push({ ms: 2000, node: 1, event: 'emitted', service: 0, depth: 1 }),
      said: 'node 1 sent service 0 on with depth 1 after it had with depth 1',
    },
    {
      how: ({ events }) => void events.push({ ms: 2000, node: 1, event: 'emitted', service: 0, depth: 0 }),
      said: 'node 1 sent service 0 on with depth 0 after it had with depth 1',
    },
  ],
  'delivered-once': [
    {
      how: ({ events }) => void events.push({ ...(of(events, 'delivered', 2) as SimEvent), ms: 5000 }),
      said: 'node 2 took service 0 in twice',
    },
    {
      how: ({ events }) =>
        void events.push({ ms: 1, node: 2, event: 'delivered', service: 7, depth: 1, from: 1, hops: 1 }),
      said: 'node 2 got service 7 before it was published',
    },
  ],
  'lost-arrives-again': [
    {
      how: ({ events }) => void events.push({ ms: 9000, node: 2, event: 'restored', services: [], powerCut: true }),
      said: 'node 2 lost service 0 by a power cut, and its neighbour 1 did not give it back',
    },
  ],
  'nothing-lost-by-crash': [
    {
      how: ({ events }) => void events.push({ ms: 9000, node: 2, event: 'restored', services: [1] }),
      said: 'node 2 had taken service 0 in, and no longer knew it after 9000 ms',
    },
  ],
  'emits-only-what-it-redirects': [
    {
      how: ({ events }) => void events.push({ ms: 3000, node: 3, event: 'emitted', service: 0, depth: 0 }),
      said: 'node 3 sent service 0 on, which its policy does not redirect',
    },
  ],
  'neighbours-are-reached': [
    {
      how({ spread }) {
        spread.firstDepth[3] = NONE
        spread.bestDepth[3] = NONE
      },
      said: 'service 0 was sent on by node 2 and never arrived at its neighbour 3',
    },
    {
      // a mended network delivers what was missed
      how({ spread, events, facts }) {
        facts.changing = true
        events.push({ ms: 500, node: 3, event: 'cut' }, { ms: 5000, node: 3, event: 'healed' })
        spread.firstDepth[3] = NONE
      },
      said: 'service 0 was sent on by node 2 and never arrived at its neighbour 3',
    },
  ],
  'nothing-while-away': [
    {
      how: ({ events }) => void events.push({ ms: 1100, node: 2, event: 'crashed' }),
      said: 'node 2 is away, and "delivered" happened at it after 1120 ms',
    },
  ],
  'no-task-twice': [
    {
      how({ facts, events }) {
        facts.serviceOf = () => ({ ...SERVICE, kind: 'task', replicas: 0 })
        events.push({ ms: 9000, node: 1, event: 'run', service: 0, state: 'running' })
      },
      said: 'node 1 started task 0 twice',
    },
  ],
  'revoked-never-starts': [
    {
      how: ({ events }) => void events.push({ ms: 1600, node: 2, event: 'revoked', service: 0 }),
      said: 'node 2 started service 0 after it knew of its revocation',
    },
  ],
  'revoked-runs-end': [
    {
      how: ({ events }) => void events.push({ ms: 3000, node: 2, event: 'revoked', service: 0 }),
      said: 'node 2 runs service 0 in the end, and knows of its revocation',
    },
  ],
  'no-older-version': [
    {
      how: ({ events }) => void events.push({ ms: 1110, node: 2, event: 'superseded', service: 0, by: 1 }),
      said: 'node 2 took service 0 in after a newer version',
    },
    {
      how({ events }) {
        events.push({ ms: 3000, node: 2, event: 'superseded', service: 0, by: 1 })
        events.push({ ms: 3000, node: 2, event: 'emitted', service: 0, depth: 2 })
      },
      said: 'node 2 sent service 0 on after a newer version',
    },
  ],
  'parked-does-not-run': [
    {
      how: ({ events }) => void events.push({ ms: 1600, node: 2, event: 'parked', service: 0, on: ['replica'] }),
      said: 'node 2 started service 0, which is parked there',
    },
  ],
  'replicas-exact': [
    {
      how({ facts }) {
        facts.serviceOf = () => ({ ...SERVICE, kind: 'service', replicas: 2 })
      },
      said: 'service 0 runs on 3 nodes in the end; it asks for 2, and 3 are willing',
    },
    {
      how({ facts, events }) {
        facts.serviceOf = () => ({ ...SERVICE, kind: 'service', replicas: 3 })
        events.push({ ms: 3000, node: 1, event: 'run', service: 0, state: 'ended' })
      },
      said: 'service 0 runs on 2 nodes in the end; it asks for 3, and 3 are willing',
    },
    {
      how({ events }) {
        events.push({ ms: 3000, node: 1, event: 'superseded', service: 0, by: 1 })
        events.push({ ms: 3000, node: 2, event: 'run', service: 1, state: 'running' })
      },
      said: 'service 0 runs on 3 nodes in the end, beside its newer version 1, which must take its place',
    },
  ],
  'stops-arrive': [
    {
      how: ({ events }) => void events.push({ ms: 3000, node: 0, event: 'revoked', service: 0 }),
      said: 'node 0 knows of the stop of service 0, and its neighbour 1 does not',
    },
  ],
  'over-is-not-decided': [
    {
      how: ({ events }) => void events.push({ ms: 1190, node: 3, event: 'revoked', service: 0 }),
      said: 'node 3 decided "refused" about service 0, which it knew to be over',
    },
    {
      how: ({ events }) => void events.push({ ms: 1110, node: 2, event: 'superseded', service: 0, by: 1 }),
      said: 'node 2 decided "run" about service 0, which it knew to be over',
    },
  ],
  'no-surplus-start': [
    {
      how({ facts, events }) {
        facts.serviceOf = () => ({ ...SERVICE, replicas: 1 })
        events.push({ ms: 30_000, node: 3, event: 'run', service: 0, state: 'running' })
      },
      said: 'node 3 started service 0 after 30000 ms, of which it knew 1 runs; it asks for 1',
    },
  ],
  'no-forged-or-late-copy': [
    {
      how({ facts }) {
        facts.serviceOf = () => ({ ...SERVICE, endsMs: 1100 })
      },
      said: 'node 2 took service 0 in after 1120 ms; it was over after 1100 ms',
    },
    {
      how: ({ events }) => void events.push({ ms: 3000, node: 2, event: 'better', service: 0, depth: 3 }),
      said: 'node 2 took service 0 in with depth 3; its author signed 2',
    },
  ],
  'quotas-never-exceeded': [
    {
      how({ events, facts }) {
        facts.serviceOf = () => ({ ...SERVICE, memoryBytes: 0 })
        for (const service of [1, 2, 3]) events.push({ ms: 3000, node: 1, event: 'run', service, state: 'running' })
      },
      said: 'node 1 runs 4 services at once; its policy grants 3',
    },
    {
      how({ facts }) {
        facts.serviceOf = () => ({ ...SERVICE, memoryBytes: 3001 })
      },
      said: 'node 0 runs services of 3001 bytes at once; its policy grants 3000',
    },
  ],
  'restart-keeps-state': [
    {
      how({ events }) {
        events.push({ ms: 3000, node: 3, event: 'revoked', service: 0 })
        events.push({ ms: 9000, node: 3, event: 'restored', services: [0], over: [], started: [] })
      },
      said: 'node 3 no longer knew after 9000 ms that service 0 is over',
    },
    {
      how: ({ events }) =>
        void events.push({ ms: 9000, node: 2, event: 'restored', services: [0], over: [], started: [] }),
      said: 'node 2 no longer knew after 9000 ms that service 0 had started there',
    },
  ],
  'decisions-are-current': [
    {
      how: ({ events }) =>
        void events.push({ ms: 99_000, node: 3, event: 'outdated', service: 0, inForce: 'refused', now: 'run' }),
      said: 'node 3 has decided "refused" about service 0, and its runner would say "run" now',
    },
    {
      how: ({ events }) =>
        void events.push({ ms: 99_000, node: 3, event: 'outdated', service: 0, inForce: 'undecided', now: 'run' }),
      said: 'node 3 has not decided about service 0, and its runner would say "run" now',
    },
  ],
  'no-unhandled-error': [
    {
      how: ({ events }) => void events.push({ ms: 3000, node: -1, event: 'unhandled', error: 'it is closed' }),
      said: 'after 3000 ms, nobody handled: it is closed',
    },
  ],
  'nothing-left-behind': [
    {
      how: ({ events }) => void events.push({ ms: 99_000, node: -1, event: 'leftover', timers: 2 }),
      said: '2 timers are left when all nodes are closed',
    },
  ],
  'honest-never-graylisted': [
    {
      how: ({ events }) => void events.push({ ms: 3000, node: 1, event: 'graylisted', peer: 2 }),
      said: 'node 1 graylisted node 2, which keeps the rules',
    },
  ],
}

export function of(events: readonly SimEvent[], name: string, node: number): SimEvent | undefined {
  return events.find((event) => event.event === name && event.node === node)
}
