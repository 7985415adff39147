import { type Message, TopicValidatorResult } from '@libp2p/gossipsub'
import type { PeerId } from '@libp2p/interface'
import { raceSignal } from 'race-signal'
import { messageId } from '../../../protocols/announcement.ts'
import { type Clock, sleep } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import type { Emitter } from '../../base/events.ts'
import type { Log } from '../../base/log.ts'
import { MAX_PENDING_GOSSIP, MAX_PENDING_GOSSIP_PER_PEER, PUBLISH_POLL_MS, PUBLISH_WAIT_MS } from '../constants.ts'
import type { GossipTopic, NetworkEvents } from '../events.ts'
import type { PubSub } from '../host/create-host.ts'
import type { MessageValidator, ValidationResult } from '../message-validator.ts'
import type { Gossip, PeerScores, Publication } from '../types.ts'

export interface GossipComponents {
  clock: Clock
  log: Log
  events: Emitter<NetworkEvents>
  peerScores: PeerScores
  pubsub: PubSub
  /** Is a peer connected, or being dialled, that may soon subscribe? */
  mayGainSubscribers(): boolean
}

const RESULTS: Record<ValidationResult, TopicValidatorResult> = {
  accept: TopicValidatorResult.Accept,
  ignore: TopicValidatorResult.Ignore,
  reject: TopicValidatorResult.Reject,
}

export type GossipInit = {
  /** the topic as gossipsub knows it, and as events name it */
  readonly topic: string
  readonly name: GossipTopic
  /** a longer message is malformed, and the validator is not asked; without it the validator looks */
  readonly maxBytes?: number
}

export interface TopicReader {
  /** The topic is read from here on. */
  subscribe(validator: MessageValidator): void
}

/**
 * One topic. How gossipsub treats a validator that takes its time:
 * - an id is *seen* before the validator runs. While it is pending, copies from others are dropped (and share the
 *   sender's fate in the scores), IHAVEs of it are not followed, and `publish` of the same bytes is refused;
 * - it enters the message cache when the validator accepts, however late: from then on it is forwarded, advertised and
 *   served to IWANT for as long as any other (five heartbeats). Nothing of a pending message is kept before, so a late
 *   accept loses nothing;
 * - an ignored or rejected id stays seen for two minutes: another copy is not asked about again.
 */
export function createGossip(components: GossipComponents, init: GossipInit): Gossip & TopicReader {
  const { clock, log, events, pubsub, peerScores } = components
  const { topic, name, maxBytes = Number.POSITIVE_INFINITY } = init
  const pendingOf = new Map<string, number>()
  let pending = 0

  const validate = async (validator: MessageValidator, from: string, data: Uint8Array): Promise<ValidationResult> => {
    const own = pendingOf.get(from) ?? 0
    if (pending >= MAX_PENDING_GOSSIP || own >= MAX_PENDING_GOSSIP_PER_PEER) {
      events.emit('network:gossip-arrived', { topic: name, from, bytes: data.byteLength, answer: 'dropped' })
      return 'ignore'
    }
    pending++
    pendingOf.set(from, own + 1)
    let answer: ValidationResult = 'ignore'
    try {
      answer =
        data.byteLength > maxBytes ? 'reject' : await validator({ data, from, messageId: messageId(topic, data) })
    } catch (error) {
      log.error('the gossip validator failed; the message is ignored', { error: messageOf(error) })
    } finally {
      pending--
      const left = (pendingOf.get(from) ?? 1) - 1
      if (left > 0) pendingOf.set(from, left)
      else pendingOf.delete(from)
    }
    if (answer === 'reject') peerScores.penalize(from)
    events.emit('network:gossip-arrived', { topic: name, from, bytes: data.byteLength, answer })
    return answer
  }
  // what comes all the same goes no further
  pubsub.topicValidators.set(topic, () => TopicValidatorResult.Ignore)

  const attempt = async (data: Uint8Array, flood: boolean): Promise<Publication | 'unsent'> => {
    try {
      const sent = await pubsub.publish(topic, data, { floodPublish: flood })
      return sent.recipients.length > 0 ? 'published' : 'unsent'
    } catch (error) {
      const problem = messageOf(error)
      if (problem === 'PublishError.Duplicate') return 'seen'
      if (problem === 'PublishError.NoPeersSubscribedToTopic') return 'no-peers'
      throw error
    }
  }

  /** One look for all that wait: with hundreds of publications, each of which tries again and again, nothing else has its turn. */
  let gaining: Promise<void> | undefined
  async function untilSubscribed(until: number): Promise<void> {
    do await sleep(clock, PUBLISH_POLL_MS)
    while (pubsub.getSubscribers(topic).length === 0 && components.mayGainSubscribers() && clock.monotonic() < until)
  }
  function subscribers(until: number): Promise<void> {
    gaining ??= untilSubscribed(until).finally(() => {
      gaining = undefined
    })
    return gaining
  }

  return {
    subscribe(validator) {
      pubsub.topicValidators.set(topic, async (peer: PeerId, message: Message) => {
        const { buffer, byteOffset, byteLength } = message.data
        return RESULTS[await validate(validator, peer.toString(), new Uint8Array(buffer, byteOffset, byteLength))]
      })
      pubsub.subscribe(topic)
    },
    listeners: () => pubsub.getSubscribers(topic).map(String),
    async publish(data, { to = 'mesh', signal } = {}) {
      const until = clock.monotonic() + PUBLISH_WAIT_MS
      let outcome = await attempt(data, to === 'all')
      // a fresh neighbour announces its subscriptions a moment after it connected
      while (outcome === 'no-peers' && components.mayGainSubscribers() && clock.monotonic() < until) {
        await raceSignal(subscribers(until), signal)
        outcome = await attempt(data, to === 'all')
      }
      // taken by gossipsub, which will advertise it, but every stream that it tried was gone
      if (outcome === 'unsent') outcome = 'no-peers'
      events.emit('network:gossip-published', { topic: name, bytes: data.byteLength, outcome })
      return outcome
    },
  }
}
