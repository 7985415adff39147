import type { NodeEvents } from '../../../../node/events.ts'
import type { LiveEvent } from './live.ts'
import { many, shortId, visible } from './text.ts'

export type Tone = 'good' | 'wait' | 'bad' | 'calm'

/** An event of the node, in words for people. */
export type Activity = {
  readonly key: string
  /** ms */
  readonly at: number
  readonly tone: Tone
  readonly text: string
  /** the service that it is about */
  readonly service?: { readonly id: string; readonly name?: string | undefined } | undefined
}

type Said = Omit<Activity, 'key' | 'at'> | undefined
type Sentences = { readonly [Name in keyof NodeEvents]?: (detail: NodeEvents[Name]) => Said }

const STATE_TONES: Readonly<Record<string, Tone>> = { running: 'good', done: 'good', failed: 'bad', accepted: 'wait' }

const SENTENCES: Sentences = {
  'network:peer-connected': ({ peer, direction }) => ({
    tone: 'calm',
    text: `${shortId(peer)} connected (${direction})`,
  }),
  'network:peer-disconnected': ({ peer }) => ({ tone: 'calm', text: `${shortId(peer)} disconnected` }),
  'intake:received': ({ kind, via, ...service }) => ({
    tone: 'calm',
    text: kind === 'stop' ? `stopped by its author` : `announced (${via})`,
    service,
  }),
  'node:verdict': ({ verdict, failure, ...service }) => ({
    ...(failure !== undefined
      ? { tone: 'bad', text: `the runner failed: ${visible(failure)}` }
      : verdict.run !== false
        ? { tone: 'good', text: 'accepted' }
        : verdict.park !== undefined
          ? { tone: 'wait', text: `parked: ${because(verdict.reasons, 'defer')}` }
          : { tone: 'calm', text: `refused: ${because(verdict.reasons, 'fail')}` }),
    service,
  }),
  'node:state': ({ state, detail, ...service }) => ({
    tone: STATE_TONES[state] ?? 'calm',
    text: detail === undefined ? state : `${state}: ${visible(detail)}`,
    service,
  }),
  'node:receipt': ({ id, node, state }) => ({
    tone: STATE_TONES[state] ?? 'calm',
    text: `${shortId(node)} says: ${visible(state, 40)}`,
    service: { id },
  }),
  'node:woken': ({ to, ...service }) => ({ tone: 'good', text: `woken: ${to}`, service }),
  'node:evicted': ({ parked, ...service }) => ({
    tone: 'wait',
    text: parked ? 'evicted for a service of a higher rank, and parked' : 'evicted for a service of a higher rank',
    service,
  }),
  'node:tunnel-opened': ({ id, port, peer }) => ({
    tone: 'calm',
    text: `${shortId(peer)} opened a tunnel to "${visible(port, 64)}"`,
    service: { id },
  }),
  'node:tunnel-refused': ({ id, port, reason }) => ({
    tone: 'bad',
    text: `a tunnel to "${visible(port, 64)}" was refused: ${visible(reason)}`,
    service: { id },
  }),
  'node:draining': ({ services }) => ({ tone: 'wait', text: `this node is drained; ${many(services, 'run')} left` }),
  'node:drained': () => ({ tone: 'wait', text: 'this node is drained; nothing runs here' }),
  'node:undrained': () => ({ tone: 'good', text: 'this node takes services again' }),
  'node:paused': () => ({ tone: 'wait', text: 'this node is paused: it begins no new run' }),
  'node:resumed': () => ({ tone: 'good', text: 'this node begins runs again' }),
  'node:blocked': ({ kind, subject }) => ({ tone: 'wait', text: `the ${kind} ${shortId(subject)} is blocked` }),
  'node:unblocked': ({ kind, subject }) => ({
    tone: 'calm',
    text: `the ${kind} ${shortId(subject)} is not blocked any more`,
  }),
  'node:policy': ({ hash }) => ({ tone: 'good', text: `policy ${hash.slice(0, 12)} is in force` }),
  'node:policy-refused': ({ reason }) => ({ tone: 'bad', text: `the policy was refused: ${visible(reason)}` }),
  'alert:begun': ({ alert, summary }) => ({ tone: 'bad', text: `alert ${alert}: ${visible(summary)}` }),
  'alert:cleared': ({ alert }) => ({ tone: 'good', text: `alert ${alert}: over` }),
  'alert:undelivered': ({ alert, reason }) => ({
    tone: 'bad',
    text: `alert ${alert} was not delivered: ${visible(reason)}`,
  }),
  'execution:executor': ({ executor, available, detail }) => ({
    tone: available ? 'good' : 'bad',
    text: `${executor} is ${available ? 'available' : 'not available'}: ${visible(detail)}`,
  }),
  'runner:died': ({ message }) => ({ tone: 'bad', text: `the runner ended: ${visible(message)}` }),
  'runner:load-failed': ({ message }) => ({ tone: 'bad', text: visible(message) }),
}

/** Undefined for events that only programs use. */
export function activityOf({ id, name, detail, at }: LiveEvent): Activity | undefined {
  const sentence = SENTENCES[name as keyof NodeEvents] as ((detail: unknown) => Said) | undefined
  const said = sentence?.(detail)
  return said === undefined ? undefined : { key: id, at, ...said }
}

function because(reasons: NodeEvents['node:verdict']['verdict']['reasons'], outcome: string): string {
  const reason = reasons.find((each) => each.outcome === outcome) ?? reasons.find((each) => each.outcome !== 'pass')
  return reason === undefined ? 'no reason is given' : visible(reason.message)
}
