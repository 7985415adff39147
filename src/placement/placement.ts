import { raceSignal } from 'race-signal'
import { messageOf, UnavailableError } from '../base/errors.ts'
import { createAnswerTimes } from './answer-times.ts'
import { createAskBudget } from './ask-budget.ts'
import { createAskRound } from './ask-round.ts'
import {
  ALONE_AFTER_MS,
  CLAIM_WAIT_MS,
  MAX_FRESH,
  MAX_ROUNDS,
  MAX_SIBLINGS,
  ROUND_JITTER_MS,
  ROUND_MS,
  SETBACK_MS,
  SIBLING_AGE_MS,
  SPENT_AHEAD_MS,
  TICK_MS,
  VACANCY_DELAY_MS,
} from './constants.ts'
import { claimedText, decidePlacement, isServing, type RoundFacts, type RoundResult } from './decide.ts'
import { createEntry, type Entry } from './entry.ts'
import { limitClaimants } from './limit-claimants.ts'
import { createProviderLookups } from './provider-lookups.ts'
import { createServiceRound } from './service-round.ts'
import type { Part, Placement, PlacementComponents, PlacementInit } from './types.ts'

const ASKS = 'it claims a replica, and asks the nodes that it reaches whether its run is wanted'

export function createPlacement(components: PlacementComponents, init: PlacementInit): Placement {
  const { clock, rng, log, mesh, claims, services } = components
  const entries = new Map<string, Entry>()
  const budget = createAskBudget({ clock })
  const ending = new AbortController()
  const askRound = createAskRound({ clock, mesh, budget, times: createAnswerTimes() })
  const askAbout = createServiceRound({ clock, mesh, askRound })
  const lookups = createProviderLookups({ clock, log, mesh }, { self: init.self, closing: ending.signal })
  const rounds = { claim: new Set<Promise<void>>(), other: new Set<Promise<void>>() }
  const beganAt = clock.monotonic()
  const jitter = (ms: number) => rng.fraction() * ms

  function isAlone(): boolean {
    if (mesh.neighbours().length > 0) return false
    return !init.expectsPeers() || clock.monotonic() - beganAt >= ALONE_AFTER_MS
  }

  /** What this node has to do with each service, now: what it claims outweighs what it stands by for. */
  function takeStock(): void {
    const parts = new Map<string, Part>(services.parts())
    for (const id of claims.services()) parts.set(id, 'claiming')
    for (const id of entries.keys()) if (!parts.has(id)) entries.delete(id)
    const now = clock.monotonic()
    for (const [id, part] of parts) {
      const entry = entries.get(id)
      if (entry === undefined) {
        const first = part === 'claiming' ? CLAIM_WAIT_MS : part === 'standing-by' ? ROUND_MS : 0
        const entry = createEntry(
          components,
          id,
          part,
          now + first + (part === 'claiming' ? 0 : jitter(ROUND_JITTER_MS)),
        )
        entries.set(id, entry)
      } else if (entry.part !== part) {
        enterPart(entry, part, now)
      }
    }
  }

  function enterPart(entry: Entry, part: Part, now: number): void {
    const healthy = part === 'running'
    entry.part = part
    entry.before = 0
    entry.sweptAt = Number.NEGATIVE_INFINITY
    entry.dueAt = part === 'claiming' ? now + CLAIM_WAIT_MS : now + ROUND_MS + jitter(ROUND_JITTER_MS)
    if (healthy) entry.setbacks = 0
  }

  function tick(): void {
    takeStock()
    const now = clock.monotonic()
    const due = [...entries.values()].filter((entry) => entry.dueAt <= now && !entry.asking && !isGranted(entry))
    const urgency = (entry: Entry) => (entry.part === 'claiming' ? 0 : 1)
    due.sort((a, b) => urgency(a) - urgency(b) || a.dueAt - b.dueAt)
    for (const entry of due) {
      const kind = entry.part === 'claiming' ? 'claim' : 'other'
      if (!budget.allows(SPENT_AHEAD_MS[kind])) return
      if (rounds[kind].size < MAX_ROUNDS[kind]) begin(entry, kind)
    }
  }

  /** Its claim stands already, and its run is about to begin. */
  function isGranted({ part, id }: Entry): boolean {
    return part === 'claiming' && claims.get(id)?.stands === true
  }

  function begin(entry: Entry, kind: keyof typeof rounds): void {
    entry.asking = true
    const round = lookAfter(entry)
      .catch((error: unknown) => {
        if (!ending.signal.aborted) log.warn('replicas were not placed', { id: entry.id, reason: messageOf(error) })
      })
      .finally(() => {
        entry.asking = false
        rounds[kind].delete(round)
        if (!ending.signal.aborted) tick()
      })
    rounds[kind].add(round)
  }

  async function lookAfter(entry: Entry): Promise<void> {
    const { id } = entry
    // one that is bound looks for all of them, and gives way to none
    const replicas = entry.part === 'bound' ? Number.POSITIVE_INFINITY : services.replicas(id)
    entry.dueAt = clock.monotonic() + ROUND_MS + jitter(ROUND_JITTER_MS)
    if (replicas === undefined) {
      claims.withdraw(id)
      return
    }
    if (mesh.neighbours().length === 0 && !isAlone()) {
      entry.dueAt = clock.monotonic() + CLAIM_WAIT_MS
      return
    }
    if (entry.part !== 'standing-by') lookups.begin(entry)
    const roundAt = clock.monotonic()
    await ask(entry, replicas, roundAt)
    if (ending.signal.aborted) return
    const { part } = entry
    takeStock()
    // what it was decided about is another thing now
    if (entries.get(id) !== entry || entry.part !== part) return
    const facts = factsOf(entry, replicas, roundAt)
    const others = facts.claims.filter((claim) => !claim.leaving)
    entry.text = part === 'bound' ? undefined : claimedText(others, facts)
    await act(entry, facts)
  }

  function factsOf(entry: Entry, replicas: number, roundAt: number): RoundFacts {
    const { part, before, book, id } = entry
    const claimed = book.counted(roundAt).filter(({ peer }) => !mesh.misbehaves(peer))
    const distance = book.distanceOf(init.self)
    return { part, replicas, distance, leaving: services.leaving(id) !== undefined, claims: claimed, before }
  }

  async function ask(entry: Entry, replicas: number, roundAt: number): Promise<void> {
    // of those that answered in this round alone, enough go first: the others change nothing
    const enough = () => {
      const facts = factsOf(entry, replicas, roundAt)
      return decidePlacement({ ...facts, claims: facts.claims.filter(({ fresh }) => fresh) }).ahead.length >= replicas
    }
    await askAbout(entry, { roundAt, enough, signal: ending.signal })
  }

  async function act(entry: Entry, facts: RoundFacts): Promise<void> {
    const { id } = entry
    const result = decidePlacement(facts)
    entry.before = result.found ? entry.before + 1 : 0
    if (!result.found && entry.part !== 'standing-by') for (const wanted of entry.waiting.splice(0)) wanted()
    switch (result.decision) {
      case 'start':
        claims.confirm(id)
        services.onWon(id)
        return
      case 'stand-by':
        claims.withdraw(id)
        services.onLost(id, claimedText(result.ahead, facts))
        return
      case 'claim':
        if (clock.monotonic() >= entry.restsUntil) services.onVacant(id)
        return
      case 'stop':
        await stop(entry, facts, result)
        return
      case 'keep':
        keep(entry, facts, result)
    }
  }

  function keep(entry: Entry, facts: RoundFacts, { found, ahead }: RoundResult): void {
    if (entry.part !== 'standing-by') return
    const { replicas, distance } = facts
    // the nearest of those that stand by claims first, and the others see its claim
    if (found) entry.dueAt = clock.monotonic() + (((distance[0] ?? 0) + jitter(1)) / 256) * VACANCY_DELAY_MS
    const serving = ahead.filter(isServing)
    if (serving.length >= replicas) services.onServed(entry.id, claimedText(serving, facts))
  }

  /** It is one too many. What is healthy asks those that go first once more, just before it ends. */
  async function stop(entry: Entry, facts: RoundFacts, { ahead }: RoundResult): Promise<void> {
    const { id, book, part } = entry
    let [now, last] = [facts, ahead]
    if (part === 'running') {
      const againAt = clock.monotonic()
      const peers = ahead.map(({ peer }) => peer)
      const { signal } = ending
      await askRound.ask({ service: id, peers, book, enough: () => false, signal })
      if (signal.aborted) return
      takeStock()
      if (entries.get(id) !== entry || entry.part !== part) return
      now = factsOf(entry, facts.replicas, againAt)
      last = decidePlacement(now).ahead
      if (last.length < facts.replicas) {
        entry.before = 0
        return
      }
    }
    if (services.leaving(id) === 'failing') {
      const restMs = Math.min(SETBACK_MS.most, SETBACK_MS.first * 2 ** entry.setbacks++)
      entry.restsUntil = clock.monotonic() + restMs
    }
    services.onLost(id, claimedText(last, now))
  }

  function soon(entry: Entry): void {
    entry.dueAt = Math.min(entry.dueAt, clock.monotonic() + jitter(TICK_MS))
  }

  const timer = clock.every(TICK_MS, tick)
  return {
    claim(service, grant, { now = false } = {}) {
      const asks = claims.get(service) !== undefined
      claims.make(service, grant)
      takeStock()
      const entry = entries.get(service)
      if (entry === undefined || asks) return
      enterPart(entry, 'claiming', clock.monotonic())
      if (now) entry.dueAt = clock.monotonic()
      lookups.begin(entry)
      clock.after(Math.max(0, entry.dueAt - clock.monotonic()), () => {
        if (!ending.signal.aborted) tick()
      })
    },
    async untilWanted(service, { signal }) {
      if (isAlone()) return
      takeStock()
      const entry = entries.get(service)
      if (entry !== undefined) await raceSignal(new Promise<void>((wanted) => entry.waiting.push(wanted)), signal)
    },
    isAlone,
    text: (service) => {
      const entry = entries.get(service)
      return entry?.part === 'claiming' ? ASKS : entry?.text
    },
    claimants(service) {
      const runners = entries.get(service)?.book.runners(SIBLING_AGE_MS) ?? []
      const honest = runners.filter(({ peer }) => !mesh.misbehaves(peer))
      return limitClaimants(honest, MAX_SIBLINGS, mesh.inUse(service)).map(({ peer, state }) => ({ peer, state }))
    },
    onAsked: (service, peer) => entries.get(service)?.askers.set(peer, clock.monotonic()),
    onPeerConnected(peer) {
      for (const entry of entries.values()) {
        if (entry.part === 'standing-by') continue
        if (entry.fresh.size < MAX_FRESH) entry.fresh.add(peer)
        if (entry.part !== 'claiming') soon(entry)
      }
    },
    onPeerDisconnected(peer) {
      for (const entry of entries.values()) {
        entry.fresh.delete(peer)
        if (!entry.book.claims(peer)) continue
        entry.book.missed(peer)
        if (entry.part !== 'claiming') soon(entry)
      }
    },
    async [Symbol.asyncDispose]() {
      timer.cancel()
      ending.abort(new UnavailableError('the node is stopping'))
      await Promise.all([...rounds.claim, ...rounds.other])
    },
  }
}
