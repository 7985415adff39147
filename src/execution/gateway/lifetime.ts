import { readdirSync, statSync } from 'node:fs'

/**
 * How long a run may last, enforced by a process that outlives the node. A time limit is a duration, on the monotonic
 * clock; an expiry is a date, and follows the wall clock. It runs from this folder alone, like the rest of the gateway.
 */
export type Lifetime = {
  /** from now on, in ms */
  readonly afterMs?: number | undefined
  /** ms since 1970 */
  readonly expiresAt?: number | undefined
  /** what a node that is there takes to end the run in good order */
  readonly graceMs: number
}

/** A node asks every five seconds whether the gateway is there. */
const NODE_SILENCE_MS = 12_000
const POLL_MS = 250

/** Calls `end` when the time is over: after the grace where a node is there to end the run, else at once. */
export function watchLifetime(
  { afterMs, expiresAt, graceMs }: Lifetime,
  { lastAsked, end, keeps = false }: { lastAsked(): number; end(): void; keeps?: boolean | undefined },
): void {
  if (afterMs === undefined && expiresAt === undefined) return
  let began: number | undefined
  let overSince: number | undefined
  // biome-ignore lint/style/noRestrictedGlobals: it runs alone in a container, where no clock is handed in
  const timer = setInterval(() => {
    // the time counts from the run's first process, which comes after its gateway
    began ??= otherUsers().length > 0 ? now() : undefined
    const over =
      (afterMs !== undefined &&
        began !== undefined &&
        now() - began >= afterMs &&
        (!keeps || otherUsers().length > 0)) ||
      (expiresAt !== undefined && wallTime() >= expiresAt)
    if (!over) return
    overSince ??= now()
    const isNodeThere = now() - lastAsked() < NODE_SILENCE_MS
    if (isNodeThere && now() - overSince < graceMs) return
    clearInterval(timer)
    end()
  }, POLL_MS)
  timer.unref()
}

/** The processes of other users in this namespace. The gateway's own are of one user. */
export function otherUsers(): string[] {
  const own = process.getuid?.()
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name) && ownerOf(`/proc/${name}`) !== own)
}

function ownerOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.uid ?? process.getuid?.()
}

/** Monotonic, in ms. */
export function now(): number {
  // biome-ignore lint/plugin: it runs alone in a container, where no clock is handed in
  return Number(process.hrtime.bigint() / 1_000_000n)
}

function wallTime(): number {
  // biome-ignore lint/plugin: it runs alone in a container, where no clock is handed in
  return Date.now()
}
