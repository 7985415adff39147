import { parseCid } from '../../protocols/encoding.ts'
import { type Clock, nowSeconds, type Timer } from '../base/clock.ts'
import { messageOf } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { keyOf } from '../base/lru-map.ts'
import type { Rng } from '../base/rng.ts'
import { IN_USE_LOOKUP_MS, IN_USE_LOOKUPS_AT_ONCE, MAX_STATEMENTS, PRUNE_MS, RENEWAL_MS, TICK_MS } from './constants.ts'
import type { Lookups } from './lookups.ts'
import type { BytesOf } from './statements/address-cache.ts'
import type { IndexedStatement } from './statements/indexed-statement.ts'
import type { SignerPolicy } from './statements/signer-policy.ts'
import type { StatementIndex } from './statements/statement-index.ts'
import type { StatementPublisher } from './statements/statement-publisher.ts'
import { pathTo } from './tree/tree.ts'
import type { TreeCache } from './tree/tree-cache.ts'
import type { ServiceInUse } from './types.ts'

export interface MaintenanceComponents {
  clock: Clock
  rng: Rng
  log: Log
  index: Pick<StatementIndex, 'attestationsOf' | 'freezesOf' | 'prune'>
  treeCache: TreeCache
  signerPolicy: SignerPolicy
  lookups: Pick<Lookups, 'lookUp'>
  publisher: Pick<StatementPublisher, 'republishDue'>
  bytesOf: BytesOf
}

/** The regular work: what is in use is looked up again, renewed, and kept in the mesh's records. */
export interface Maintenance extends AsyncDisposable {
  begin(servicesInUse: () => Iterable<ServiceInUse>): void
  /** Everything that is in use is looked up now. */
  lookUpAll(): void
}

export function createMaintenance(components: MaintenanceComponents): Maintenance {
  const { clock, rng, log, index, treeCache, signerPolicy, lookups, publisher, bytesOf } = components
  const timers = new Set<Timer>()
  const work = new Set<Promise<void>>()
  /** What a renewal was looked for already: the statement's subject and its end. */
  let renewed = new Set<string>()
  let closed = false
  let servicesInUse: () => Iterable<ServiceInUse> = () => []

  /** Calls back again and again, each time a little later or earlier. */
  function everyJittered(ms: number, task: () => Promise<void>): void {
    if (closed) return
    const timer = clock.after(ms * (0.9 + rng.fraction() * 0.2), () => {
      timers.delete(timer)
      start(task().finally(() => everyJittered(ms, task)))
    })
    timers.add(timer)
  }

  function start(task: Promise<void>): void {
    const guarded = task
      .catch((error: unknown) => {
        if (!closed) log.warn('the maintenance of trust statements failed', { reason: messageOf(error) })
      })
      .finally(() => work.delete(guarded))
    work.add(guarded)
  }

  async function lookUpEach(subjects: Iterable<ServiceInUse>, fresh = false): Promise<void> {
    const distinct = new Map([...subjects].map((one) => [`${one.code}/${one.author}`, one]))
    const waiting = [...distinct.values()]
    const worker = async () => {
      for (let one = waiting.shift(); one !== undefined && !closed; one = waiting.shift()) {
        await lookups.lookUp({ code: parseCid(one.code), author: bytesOf(one.author) }, { fresh })
      }
    }
    await Promise.all(Array.from({ length: Math.min(IN_USE_LOOKUPS_AT_ONCE, waiting.length) }, worker))
  }

  /** The statements that services in use depend on. */
  function entriesOf({ code, author }: ServiceInUse): IndexedStatement[] {
    const tree = treeCache.of(signerPolicy.current(), nowSeconds(clock))
    const bytes = bytesOf(author)
    const links = pathTo(tree, keyOf(bytes)).map(({ entry }) => entry)
    const said = [...index.attestationsOf(code), ...index.freezesOf(bytes)]
    return [...said.filter(({ statement }) => signerPolicy.isTrusted(statement)), ...links]
  }

  async function tick(): Promise<void> {
    const entries = new Map<string, IndexedStatement>()
    const ending = new Map<string, ServiceInUse>()
    const soon = nowSeconds(clock) + RENEWAL_MS / 1000
    const noticed = new Set<string>()
    for (const one of servicesInUse()) {
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
    await Promise.all([lookUpEach(ending.values(), true), publisher.republishDue(entries.values())])
  }

  return {
    begin(inUse) {
      servicesInUse = inUse
      start(lookUpEach(servicesInUse()))
      start(tick())
      everyJittered(TICK_MS, tick)
      everyJittered(IN_USE_LOOKUP_MS, () => lookUpEach(servicesInUse()))
      const prune = async () => void index.prune(clock.now(), MAX_STATEMENTS)
      start(prune())
      everyJittered(PRUNE_MS, prune)
    },
    lookUpAll: () => start(lookUpEach(servicesInUse())),
    async [Symbol.asyncDispose]() {
      closed = true
      for (const timer of timers) timer.cancel()
      await Promise.all(work)
    },
  }
}
