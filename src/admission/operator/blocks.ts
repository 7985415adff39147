import { addressBytes, addressOfPeerId, formatAddress, parseAddress, peerIdOf } from '../../../protocols/address.ts'
import { parseCid } from '../../../protocols/encoding.ts'
import { atWallTime, type Clock, type Timer } from '../../base/clock.ts'
import { decodeInput } from '../../base/decode-input.ts'
import { InputError, messageOf, NotFoundError } from '../../base/errors.ts'
import type { Emitter } from '../../base/events.ts'
import type { Log } from '../../base/log.ts'
import type { BlockRecord } from '../../journal/index.ts'
import type { AdmissionEvents } from '../events.ts'
import type { ReevaluationScope } from '../reevaluation/scope.ts'
import type { BlockKind, BlockList } from './block-list.ts'

/** As people are shown it. Times in whole seconds (UTC). */
export type BlockView = {
  readonly kind: BlockKind
  /** an address, a content id or a peer id, in its canonical spelling */
  readonly subject: string
  readonly since: number
  /** undefined: until it is removed */
  readonly until?: number | undefined
  readonly note?: string | undefined
  readonly keepsRuns: boolean
}

export type BlockInit = {
  readonly kind: BlockKind
  readonly subject: string
  /** it ends by itself after so long */
  readonly seconds?: number | undefined
  readonly note?: string | undefined
  /** what runs of it now goes on until it ends, or its author replaces it */
  readonly keepRuns?: boolean | undefined
}

export type Blocked = {
  readonly block: BlockView
  /** the one on the same subject that was in force */
  readonly replaced?: BlockView | undefined
  /** the runs that end for it */
  readonly ends: readonly BlockedRun[]
  /** what was parked, and is refused now */
  readonly parked: readonly BlockedRun[]
}

export type BlockedRun = { readonly id: string; readonly name: string }

/**
 * Blocks of this node's operator, beside the policy. What an author signed, and what has a code, is neither run nor
 * redirected; a peer is disconnected and not dialled. What SERVICES names is the operator's own, and not concerned.
 */
export interface Blocks extends Disposable {
  /** Journalled, and in force when it returns. Throws an InputError. */
  add(init: BlockInit): Blocked
  /** What was refused for it is decided again. Throws a NotFoundError. */
  remove(kind: BlockKind, subject: string): BlockView
  list(): BlockView[]
  /** Takes up what a crash has cut off, and what has expired meanwhile. */
  boot(): void
}

export interface BlocksComponents {
  clock: Clock
  log: Log
  events: Emitter<AdmissionEvents>
  list: BlockList
  /** Services of others that run, or are about to, or are parked. */
  held(): readonly HeldService[]
  /** Decides about these again, at once. */
  reevaluate(services: readonly HeldService[]): Promise<void>
  /** Decides again about what neither runs nor is parked, in the background. */
  reevaluateIdle(scope: ReevaluationScope): void
  /** Ends the connections of a peer. */
  disconnect(peer: string): void
}

export type HeldService = BlockedRun & { readonly author: string; readonly code: string; readonly runs: boolean }

/** `self`: this node's peer id; its key is its address, too. */
export function createBlocks(components: BlocksComponents, { self }: { self: string }): Blocks {
  const { clock, log, events, list } = components
  let timer: Timer | undefined

  /** Whatever is decided already and may come out otherwise now. Answers what runs of it, or is parked. */
  function decideAgain({ kind, subject }: BlockRecord): HeldService[] {
    if (kind === 'peer') return []
    const held = components.held().filter((service) => service[kind] === subject)
    reevaluate(held)
    components.reevaluateIdle(scopeOf(kind, subject))
    return held
  }

  function reevaluate(held: readonly HeldService[]): void {
    components.reevaluate(held).catch((error: unknown) => {
      log.error('services were not decided again for a block', { reason: messageOf(error) })
    })
  }

  /** Those that end by themselves do so at their time, by the wall clock. */
  function watch(): void {
    timer?.cancel()
    const at = list.nextEnd()
    timer = at === undefined ? undefined : atWallTime(clock, at, expire)
  }

  function expire(): void {
    for (const block of list.removeExpired()) {
      const { kind, subject } = block
      events.emit('node:unblocked', { kind, subject, expired: true })
      decideAgain(block)
    }
    watch()
  }

  return {
    add({ kind, subject: text, seconds, note, keepRuns = false }) {
      const subject = canonical(kind, text)
      if (kind !== 'code' && peerOf(kind, subject) === self) {
        throw new InputError(`${subject} is this node itself; name another ${kind}, or \`thundercloud pause\` the node`)
      }
      const since = Math.floor(clock.now())
      const until = seconds === undefined ? null : since + seconds * 1000
      const block: BlockRecord = { kind, subject, since, until, note: note ?? null, keepsRuns: keepRuns }
      const before = list.get(kind, subject)
      list.put(block)
      watch()
      const view = viewOf(block)
      events.emit('node:blocked', { kind, subject, until: view.until })
      if (kind === 'peer') components.disconnect(subject)
      const [running = [], parked = []] = partition(decideAgain(block))
      return { block: view, replaced: before && viewOf(before), ends: keepRuns ? [] : running, parked }
    },
    remove(kind, text) {
      const subject = canonical(kind, text)
      const block = list.remove(kind, subject)
      if (block === undefined) throw new NotFoundError(`no ${kind} ${subject} is blocked`)
      watch()
      events.emit('node:unblocked', { kind, subject, expired: false })
      decideAgain(block)
      return viewOf(block)
    },
    list: () => list.all().map(viewOf),
    boot() {
      expire()
      const isBlocked = ({ author, code }: HeldService) =>
        [list.get('author', author), list.get('code', code)].some((block) => block?.keepsRuns === false)
      reevaluate(components.held().filter(isBlocked))
    },
    [Symbol.dispose]: () => timer?.cancel(),
  }
}

/** Those that run, and those that are parked. */
function partition(held: readonly HeldService[]): BlockedRun[][] {
  return [true, false].map((wanted) =>
    held.filter(({ runs }) => runs === wanted).map(({ id, name }): BlockedRun => ({ id, name })),
  )
}

function viewOf({ kind, subject, since, until, note, keepsRuns }: BlockRecord): BlockView {
  return {
    ...{ kind, subject, keepsRuns },
    since: Math.floor(since / 1000),
    until: until === null ? undefined : Math.floor(until / 1000),
    note: note ?? undefined,
  }
}

/** One spelling for what is the same. Throws an InputError. */
function canonical(kind: BlockKind, text: string): string {
  return decodeInput(() => {
    switch (kind) {
      case 'author':
        return formatAddress(parseAddress(text, 'author'))
      case 'code':
        return parseCid(text, 'code').toString()
      case 'peer':
        return peerIdOf(addressOfPeerId(text, 'peer'))
    }
  })
}

/** The peer whose key it is; undefined where it is no peer's. */
function peerOf(kind: 'author' | 'peer', subject: string): string | undefined {
  if (kind === 'peer') return subject
  const address = parseAddress(subject)
  return address.type === 'ed25519' ? peerIdOf(address) : undefined
}

function scopeOf(kind: 'author' | 'code', subject: string): ReevaluationScope {
  if (kind === 'code') return { on: 'code', code: subject }
  return { on: 'author', address: Buffer.from(addressBytes(parseAddress(subject))).toString('hex') }
}
