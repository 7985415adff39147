import { linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf } from '../base/errors.ts'
import type { Rng } from '../base/rng.ts'
import { NoCapacityError } from './errors.ts'

/**
 * One user id for each run: kernel tables (inotify, aio, keys, pending signals) are counted per user, so runs that
 * share an id can use up one another's. All nodes of a machine share the folder of claims; a claim is one file, named by
 * its id, that names the owner. The folder is below /run: claims end with a reboot, like the runs.
 */
export interface UserIds {
  /**
   * The id that this run holds, else `preferred` if that is free, else any free one. `within`: what its executor can
   * give to a run, instead of the node's range. Throws a NoCapacityError when all are in use.
   */
  claim(runId: string, options?: { preferred?: number | undefined; within?: UserIdRange | undefined }): number
  /** The run gets the id that `from` holds, and gives back its own. */
  transfer(from: string, runId: string): void
  release(runId: string): void
  /** The runs, or what was made ready for one, that this node holds an id for. */
  holders(): string[]
}

export type UserIdRange = { readonly first: number; readonly last: number }

export type UserIdsInit = {
  readonly range: UserIdRange
  /** folder of the claims of all nodes of this machine; only root may write to it */
  readonly dir: string
  /** the node's data folder: what it claims is free once that is gone */
  readonly owner: string
}

/** Attempts at random before all ids are tried in order. */
const GUESSES = 16
/** 65535 and 65534 mean "no id" and `nobody`. */
const NARROW = { count: 4335, reserved: 16 }

export function createUserIds({ rng }: { readonly rng: Rng }, { range, dir, owner }: UserIdsInit): UserIds {
  const held = readOwn()

  function readOwn(): Map<string, number> {
    mkdirSync(dir, { recursive: true, mode: 0o700 })
    const own = new Map<string, number>()
    for (const [id, claim] of claims()) if (claim.owner === owner) own.set(claim.runId, id)
    return own
  }

  function* claims(): Generator<[number, Claim]> {
    for (const name of readdirSync(dir)) {
      const claim = /^\d+$/.test(name) ? readClaim(join(dir, name)) : undefined
      if (claim !== undefined) yield [Number(name), claim]
    }
  }

  function draftOf(runId: string): string {
    const draft = join(dir, `.${process.pid}-${rng.uuid()}`)
    writeFileSync(draft, JSON.stringify({ runId, owner } satisfies Claim), { mode: 0o600 })
    return draft
  }

  /** Whole or not at all: a link to a finished file, which fails where the name is taken. */
  function take(id: number, runId: string): boolean {
    const draft = draftOf(runId)
    try {
      linkSync(draft, join(dir, `${id}`))
      held.set(runId, id)
      return true
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error
      return false
    } finally {
      rmSync(draft, { force: true })
    }
  }

  function dropAbandoned(): void {
    for (const [id, claim] of claims()) if (isAbandoned(claim)) rmSync(join(dir, `${id}`), { force: true })
  }

  function* order(ids: UserIdRange, preferred: number | undefined): Generator<number> {
    if (preferred !== undefined && contains(ids, preferred)) yield preferred
    for (let guess = 0; guess < GUESSES; guess++) yield ids.first + rng.int(ids.last - ids.first + 1)
    for (let id = ids.first; id <= ids.last; id++) yield id
  }

  function release(runId: string): void {
    const id = held.get(runId)
    if (id === undefined) return
    held.delete(runId)
    rmSync(join(dir, `${id}`), { force: true })
  }

  return {
    claim(runId, { preferred, within = range } = {}) {
      const holds = held.get(runId)
      if (holds !== undefined && contains(within, holds)) return holds
      release(runId)
      for (let pass = 0; pass < 2; pass++) {
        for (const id of order(within, preferred)) if (take(id, runId)) return id
        dropAbandoned()
      }
      throw new NoCapacityError(
        `every user id from ${within.first} to ${within.last} has a run: widen HOST.UIDS, or wait until one has ended`,
      )
    },
    transfer(from, runId) {
      const id = held.get(from)
      if (id === undefined) return
      release(runId)
      renameSync(draftOf(runId), join(dir, `${id}`))
      held.delete(from)
      held.set(runId, id)
    },
    release,
    holders: () => [...held.keys()],
  }
}

/**
 * The ids of a range that this process can give to others: a user namespace, in a container for instance, maps some only.
 * Where it does not map the range, the highest that it does map, without the last few, which mean `nobody`.
 * `uidMap`: the text of /proc/self/uid_map.
 */
export function mappedRange(range: UserIdRange, uidMap: string): UserIdRange {
  const spans = uidMap
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .flatMap(([inside, , count]) => (inside === undefined || count === undefined ? [] : [{ inside, count }]))
    .filter(({ count }) => count > 0)
    .map(({ inside, count }) => ({ first: inside, last: inside + count - 1 }))
  if (spans.length === 0 || spans.some((span) => contains(span, range.first) && contains(span, range.last)))
    return range
  const { first, last } = spans.reduce((a, b) => (b.last > a.last ? b : a))
  return {
    first: Math.max(first, last - NARROW.count - NARROW.reserved),
    last: Math.max(first, last - NARROW.reserved),
  }
}

function contains({ first, last }: UserIdRange, id: number): boolean {
  return id >= first && id <= last
}

type Claim = { readonly runId: string; readonly owner: string }

function readClaim(path: string): Claim | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Claim
  } catch {
    return undefined
  }
}

function isAbandoned({ owner }: Claim): boolean {
  return statSync(owner, { throwIfNoEntry: false }) === undefined
}
