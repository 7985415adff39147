import { parseCid } from '../../protocols/encoding.ts'
import { type Clock, nowSeconds, type Timer } from '../base/clock.ts'
import { messageOf } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { Rng } from '../base/rng.ts'
import { MAX_STATEMENTS, PRUNE_MS, RELIED_AT_ONCE, RELIED_MS, RENEWAL_MS, TICK_MS } from './constants.ts'
import type { Lookups } from './lookups.ts'
import { type Entry, keyOf } from './statements/indexed-statement.ts'
import type { Counting } from './statements/signer-policy.ts'
import type { Book } from './statements/statement-index.ts'
import type { Telling } from './statements/statement-publisher.ts'
import type { BytesOf } from './statements/texts.ts'
import { pathTo } from './tree/tree.ts'
import type { Canopy } from './tree/tree-cache.ts'
import type { Relied } from './types.ts'

export interface UpkeepComponents {
  clock: Clock
  rng: Rng
  log: Log
  book: Pick<Book, 'attestationsOf' | 'freezesOf' | 'prune'>
  canopy: Canopy
  counting: Counting
  lookups: Pick<Lookups, 'lookUp'>
  telling: Pick<Telling, 'tellAgain'>
  bytesOf: BytesOf
  relied(): Iterable<Relied>
}

/** The regular work: what is relied on is looked up again, renewed, and kept in the mesh's records. */
export interface Upkeep extends AsyncDisposable {
  begin(): void
  /** Everything that is relied on is looked up now. */
  lookUpAll(): void
}

export function createUpkeep(components: UpkeepComponents): Upkeep {
  const { clock, rng, log, book, canopy, counting, lookups, telling, bytesOf, relied } = components
  const timers = new Set<Timer>()
  const work = new Set<Promise<void>>()
  /** What a renewal was looked for already: the statement's subject and its end. */
  let renewed = new Set<string>()
  let closed = false

  /** Calls back again and again, each time a little later or earlier. */
  function regularly(ms: number, task: () => Promise<void>): void {
    if (closed) return
    const timer = clock.after(ms * (0.9 + rng.fraction() * 0.2), () => {
      timers.delete(timer)
      start(task().finally(() => regularly(ms, task)))
    })
    timers.add(timer)
  }

  function start(task: Promise<void>): void {
    const guarded = task
      .catch((error: unknown) => {
        if (!closed) log.warn('the regular work of trust was not done', { reason: messageOf(error) })
      })
      .finally(() => work.delete(guarded))
    work.add(guarded)
  }

  async function lookUpEach(subjects: Iterable<Relied>, fresh = false): Promise<void> {
    const distinct = new Map([...subjects].map((one) => [`${one.code}/${one.author}`, one]))
    const waiting = [...distinct.values()]
    const worker = async () => {
      for (let one = waiting.shift(); one !== undefined && !closed; one = waiting.shift()) {
        await lookups.lookUp({ code: parseCid(one.code), author: bytesOf(one.author) }, { fresh })
      }
    }
    await Promise.all(Array.from({ length: Math.min(RELIED_AT_ONCE, waiting.length) }, worker))
  }

  /** The statements by which something that runs or is parked stands. */
  function entriesOf({ code, author }: Relied): Entry[] {
    const tree = canopy.of(counting.policy(), nowSeconds(clock))
    const bytes = bytesOf(author)
    const links = pathTo(tree, keyOf(bytes)).map(({ entry }) => entry)
    const said = [...book.attestationsOf(code), ...book.freezesOf(bytes)]
    return [...said.filter(({ statement }) => counting.statement(statement)), ...links]
  }

  async function tick(): Promise<void> {
    const entries = new Map<string, Entry>()
    const ending = new Map<string, Relied>()
    const soon = nowSeconds(clock) + RENEWAL_MS / 1000
    const noticed = new Set<string>()
    for (const one of relied()) {
      for (const entry of entriesOf(one)) {
        entries.set(entry.subject, entry)
        const { expires } = entry.statement.body
        if (expires > soon || expires <= nowSeconds(clock)) continue
        const name = `${one.service} ${entry.subject} ${expires}`
        noticed.add(name)
        if (!renewed.has(name)) ending.set(one.service, one)
      }
    }
    renewed = noticed
    await Promise.all([lookUpEach(ending.values(), true), telling.tellAgain(entries.values())])
  }

  return {
    begin() {
      start(lookUpEach(relied()))
      start(tick())
      regularly(TICK_MS, tick)
      regularly(RELIED_MS, () => lookUpEach(relied()))
      const prune = async () => void book.prune(clock.now(), MAX_STATEMENTS)
      start(prune())
      regularly(PRUNE_MS, prune)
    },
    lookUpAll: () => start(lookUpEach(relied())),
    async [Symbol.asyncDispose]() {
      closed = true
      for (const timer of timers) timer.cancel()
      await Promise.all(work)
    },
  }
}
