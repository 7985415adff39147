import { type Clock, sleep } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import { HELPER_HEAP_MIB } from '../constants.ts'
import type { Plan, WarmClass, WarmStarts } from '../types.ts'
import { classText, isOfClass, type WarmProgramAnswer } from './cold-reason.ts'
import { type WarmInstance, type WarmProgram, warmId } from './types.ts'

/** A gateway is outside of the class's memory. */
const GATEWAY_BYTES = HELPER_HEAP_MIB * 2 ** 20
/** After one that could not be made or removed, or that ended by itself. */
const RETRY_MS = 30_000

export type WarmPoolInit<Instance extends WarmInstance> = {
  create(id: string, warmClass: WarmClass | undefined): Promise<Instance>
  /** Ends what is left of one that no run has, and gives back its user. */
  remove(id: string): Promise<void>
  /** What one of this kind would be made from now. */
  version(warmClass: WarmClass | undefined): Promise<string>
  /** Why a plan can have nothing that is there already; undefined where it can. */
  never(plan: Plan): string | undefined
  programOf(plan: Plan): WarmProgramAnswer
}

/** What a plan gets of the pool, or nothing, and how its run begins; see `Run.start`. */
export type WarmStart<Instance extends WarmInstance> = {
  readonly warm?: Instance | undefined
  readonly program?: WarmProgram | undefined
  readonly start: string
}

/** Sandboxes or containers that wait for runs. Each is used once, and another takes its place. */
export interface WarmPool<Instance extends WarmInstance> extends AsyncDisposable {
  /** Resolves when it is there, as far as it can be, and the rest is gone. `noClasses`: why none is kept for a class. */
  keep(wanted: WarmStarts, options?: { renew?: boolean | undefined; noClasses?: string | undefined }): Promise<void>
  /** Who takes one removes it. */
  take(plan: Plan): Promise<WarmStart<Instance>>
  /** Never rejects: what cannot be removed now is tried again. */
  remove(id: string): Promise<void>
  /** Makes what is missing, in the background: a start that is under way comes first. */
  refill(): Promise<void>
}

export function createWarmPool<Instance extends WarmInstance>(
  { clock, log }: { clock: Clock; log: Log },
  init: WarmPoolInit<Instance>,
): WarmPool<Instance> {
  let wanted: WarmStarts = { classes: [], gateways: 0, freeBytes: () => 0 }
  let idle: Instance[] = []
  let noClasses: string | undefined
  const madeAt = clock.now()
  let made = 0
  let filling: Promise<void> | undefined
  /** kinds that could not be made, and why, until they are tried again */
  const failed = new Map<string, string>()
  const closing = new AbortController()
  const removals = new Set<Promise<void>>()

  /** What is not there yet, the operator's classes in their order, then gateways; undefined: nothing, or there is no memory. */
  function missing(): { warmClass: WarmClass | undefined } | undefined {
    if (closing.signal.aborted) return undefined
    const free = wanted.freeBytes() - idle.reduce((sum, { warmClass }) => sum + bytesOf(warmClass), 0)
    const kinds = [
      ...wanted.classes.map((warmClass) => ({ warmClass, count: warmClass.count })),
      { warmClass: undefined, count: wanted.gateways },
    ]
    return kinds.find(
      ({ warmClass, count }) =>
        bytesOf(warmClass) <= free && countOf(warmClass) < count && !failed.has(textOf(warmClass)),
    )
  }

  const countOf = (warmClass: WarmClass | undefined) => idle.filter((one) => isSame(one.warmClass, warmClass)).length

  async function fill(): Promise<void> {
    try {
      for (let next = missing(); next !== undefined; next = missing()) await make(next.warmClass)
    } finally {
      filling = undefined
    }
  }

  async function make(warmClass: WarmClass | undefined): Promise<void> {
    const id = warmId(madeAt, ++made)
    try {
      const one = await init.create(id, warmClass)
      idle.push(one)
      one.answer.catch(() => lose(one))
      trim()
    } catch (error) {
      log.warn('nothing could be kept warm', { for: textOf(warmClass), reason: messageOf(error) })
      failed.set(textOf(warmClass), messageOf(error).slice(0, 200))
      refillLater()
      await remove(id)
    }
  }

  function refillLater(): void {
    later(() => {
      failed.clear()
      void refill()
    })
  }

  function later(act: () => void): void {
    sleep(clock, RETRY_MS, { signal: closing.signal }).then(act, () => {})
  }

  /** One that has ended by itself while it was idle. */
  function lose(one: Instance): void {
    if (!idle.includes(one)) return
    log.warn('what was kept warm has ended', { id: one.id })
    drop(one)
    refillLater()
  }

  function drop(one: Instance): void {
    idle = idle.filter((other) => other !== one)
    one.end()
    const removal = remove(one.id)
    removals.add(removal)
    void removal.then(() => removals.delete(removal))
  }

  async function remove(id: string): Promise<void> {
    try {
      await init.remove(id)
    } catch (error) {
      log.warn('what was kept warm left something behind', { id, reason: messageOf(error) })
      later(() => void remove(id))
    }
  }

  /** Throws away what is more than is wanted, the youngest first, or more than there is memory for. */
  function trim(): void {
    let free = wanted.freeBytes()
    const kept: Instance[] = []
    for (const one of idle) {
      const { warmClass } = one
      const count =
        warmClass === undefined
          ? wanted.gateways
          : (wanted.classes.find((other) => isSame(other, warmClass))?.count ?? 0)
      if (kept.filter((other) => isSame(other.warmClass, warmClass)).length < count && bytesOf(warmClass) <= free) {
        kept.push(one)
        free -= bytesOf(warmClass)
      } else drop(one)
    }
  }

  function use(one: Instance): Instance {
    idle = idle.filter((other) => other !== one)
    return one
  }

  /** Those that were made from what is there no more are of no use. */
  async function dropOutdated(): Promise<void> {
    const versionOf = (warmClass: WarmClass | undefined) => init.version(warmClass).catch(() => undefined)
    const withNode = idle.find(({ warmClass }) => warmClass !== undefined)?.warmClass
    const [gateway, node] = await Promise.all([versionOf(undefined), withNode && versionOf(withNode)])
    for (const one of idle) if (one.version !== (one.warmClass === undefined ? gateway : node)) drop(one)
  }

  /** Why no Node.js waits for this plan. */
  function classReason(plan: Plan): string {
    if (noClasses !== undefined) return noClasses
    const wantedClass = wanted.classes.find((one) => isOfClass(plan, one))
    if (wantedClass === undefined) return `LIMITS.WARM has no class with its grant: ${classText(plan.grant)}`
    const problem = failed.get(textOf(wantedClass))
    return problem === undefined ? 'none of its class was idle' : `none of its class could be made: ${problem}`
  }

  function refill(): Promise<void> {
    if (missing() !== undefined) filling ??= fill()
    return filling ?? Promise.resolve()
  }

  return {
    async keep(next, { renew = false, noClasses: why } = {}) {
      wanted = why === undefined ? next : { ...next, classes: [] }
      noClasses = why
      if (renew) for (const one of idle) drop(one)
      trim()
      await refill()
      await Promise.all(removals)
    },
    async take(plan) {
      const never = init.never(plan)
      if (never !== undefined) return { start: `cold start: ${never}` }
      await dropOutdated()
      const answer = init.programOf(plan)
      const withNode = idle.find(({ warmClass }) => warmClass !== undefined && isOfClass(plan, warmClass))
      if ('program' in answer && withNode !== undefined) {
        return { warm: use(withNode), program: answer.program, start: 'warm start' }
      }
      const reason = 'coldReason' in answer ? answer.coldReason : classReason(plan)
      const gateway = idle.find(({ warmClass }) => warmClass === undefined)
      if (gateway === undefined) return { start: `cold start: ${reason}` }
      return { warm: use(gateway), start: `its gateway was warm, its program started cold: ${reason}` }
    },
    remove,
    refill,
    async [Symbol.asyncDispose]() {
      closing.abort()
      for (const one of idle) drop(one)
      await filling
      for (const one of idle) drop(one)
      await Promise.all(removals)
    },
  }
}

function bytesOf(warmClass: WarmClass | undefined): number {
  return GATEWAY_BYTES + (warmClass?.memoryBytes ?? 0)
}

/** As the operator writes it. */
function textOf(warmClass: WarmClass | undefined): string {
  return warmClass === undefined ? 'a gateway' : classText(warmClass)
}

function isSame(a: WarmClass | undefined, b: WarmClass | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return a.memoryBytes === b.memoryBytes && a.diskBytes === b.diskBytes && a.pids === b.pids
}
