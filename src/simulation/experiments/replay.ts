import { anySignal } from 'any-signal'
import { InputError } from '../../base/errors.ts'
import { closestMatch } from '../../base/format.ts'
import type { SimEvent, SimEventName } from '../events.ts'
import type { Scenario } from '../scenario/scenario.ts'
import type { Engine } from '../types.ts'

/** Where a replay stops: at the event of that number, from 1, or at the first of that name, at that node. */
export type Until = { readonly number: number } | { readonly name: string; readonly node: number | undefined }

export type NodeState = {
  readonly node: number
  readonly present: boolean
  /** what it does with a service is in the order of the services */
  readonly services: readonly {
    service: number
    depth: number | null
    verdict: string | null
    emitted: number | null
    run: string | null
    revoked: boolean
  }[]
}

export type Replay = {
  /** the number of the event at which it stopped; null = it never came */
  readonly stoppedAt: number | null
  readonly ms: number
  /** some before it, it, and the steps after it */
  readonly events: readonly { readonly number: number; readonly event: SimEvent }[]
  /** as they were at it */
  readonly nodes: readonly NodeState[]
}

const EVENT_NAMES: readonly SimEventName[] = [
  ...([
    'joined',
    'restored',
    'left',
    'crashed',
    'cut',
    'healed',
    'published',
    'delivered',
    'better',
    'verdict',
  ] as const),
  ...([
    'emitted',
    'run',
    'superseded',
    'parked',
    'woken',
    'attested',
    'revoked',
    'lookup',
    'rejected',
    'graylisted',
    'outdated',
    'unhandled',
    'leftover',
  ] as const),
]
const EVENTS_BEFORE = 10

/** A number, a name, or NAME@NODE. */
export function parseUntil(text: string): Until {
  if (/^[1-9]\d{0,14}$/.test(text)) return { number: Number(text) }
  const [, name, node] = /^([a-z]+)(?:@(\d{1,9}))?$/.exec(text) ?? []
  if (name !== undefined && EVENT_NAMES.includes(name as SimEventName)) {
    return { name, node: node === undefined ? undefined : Number(node) }
  }
  const guess = closestMatch(name ?? text, EVENT_NAMES)
  const right =
    guess === undefined ? `a number, or one of ${EVENT_NAMES.join(', ')}, like delivered@7` : `did you mean ${guess}?`
  throw new InputError(`--until is ${JSON.stringify(text)}; ${guess === undefined ? `allowed is ${right}` : right}`)
}

/** Runs from the seed to that event, and `steps` events further. */
export async function replay(
  engine: Engine,
  scenario: Scenario,
  { until, steps, signal }: { until: Until; steps: number; signal: AbortSignal },
): Promise<Replay> {
  const enough = new AbortController()
  const states = new Map<number, State>()
  const recent: { number: number; event: SimEvent }[] = []
  let [number, ms] = [0, 0]
  let found: { stoppedAt: number; ms: number; nodes: NodeState[] } | undefined
  const onEvent = (event: SimEvent) => {
    if (found !== undefined && number >= found.stoppedAt + steps) return enough.abort()
    number++
    ms = event.ms
    recent.push({ number, event })
    if (found !== undefined) return
    if (recent.length > EVENTS_BEFORE + 1) recent.shift()
    apply(states, event)
    if (isReached(until, number, event)) found = { stoppedAt: number, ms, nodes: statesOf(states) }
  }
  const either = anySignal([signal, enough.signal])
  try {
    await engine.run(scenario, { events: 'all', onEvent, signal: either })
  } catch (error) {
    if (!enough.signal.aborted || signal.aborted) throw error
  } finally {
    either.clear()
  }
  return { ...(found ?? { stoppedAt: null, ms, nodes: statesOf(states) }), events: recent }
}

function isReached(until: Until, number: number, event: SimEvent): boolean {
  if ('number' in until) return number === until.number
  return event.event === until.name && (until.node === undefined || event.node === until.node)
}

type Service = { -readonly [K in keyof NodeState['services'][number]]: NodeState['services'][number][K] }
type State = { present: boolean; readonly services: Map<number, Service> }

function apply(states: Map<number, State>, event: SimEvent): void {
  const state: State = states.get(event.node) ?? { present: true, services: new Map() }
  states.set(event.node, state)
  if (event.event === 'left' || event.event === 'crashed') state.present = false
  if (event.event === 'joined') state.present = true
  if (!('service' in event)) return
  const { service } = event
  const of = state.services.get(service) ?? {
    service,
    depth: null,
    verdict: null,
    emitted: null,
    run: null,
    revoked: false,
  }
  state.services.set(service, of)
  switch (event.event) {
    case 'published':
    case 'delivered':
      of.depth = event.depth
      break
    case 'verdict':
      of.verdict = event.verdict
      of.depth = event.depth
      break
    case 'emitted':
      of.emitted = event.depth
      break
    case 'run':
      of.run = event.state
      break
    case 'revoked':
      of.revoked = true
      break
    default:
      break
  }
}

function statesOf(states: ReadonlyMap<number, State>): NodeState[] {
  return [...states]
    .sort(([a], [b]) => a - b)
    .map(([node, { present, services }]) => ({
      node,
      present,
      services: [...services.values()].sort((a, b) => a.service - b.service).map((each) => ({ ...each })),
    }))
}
