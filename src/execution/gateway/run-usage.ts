import { readFileSync } from 'node:fs'
import { now, otherUsers } from './lifetime.ts'
import type { Traffic } from './traffic.ts'

/** What a gateway in a container knows of its run; both on the monotonic clock, neither more than it was. */
export type GatewayUsage = Traffic & {
  readonly runningMs: number
  readonly cpuMs: number
  /** used before the run, by what waited for it: the engine's figures hold that, too */
  readonly cpuBeforeMs?: number | undefined
}

/** An engine forgets what a container used when that ends: what it used in less than this before its end is not counted. */
const SAMPLE_MS = 500
/** Fields of /proc/<pid>/stat are counted in these. */
const TICK_MS = 10
/** Behind the name of the program: user and system time, its own and that of the children it has waited for. */
const CPU_FIELDS = [11, 12, 13, 14]

/**
 * The gateway's answer to `{"usage":true}`: it is there from before the run's first process until the run is removed.
 * `waited`: a process was kept warm for the run, and what it used before is not the run's. Where none was, a process that is
 * there already is the run's own.
 */
export function usageAnswer(traffic: () => Traffic, { waited }: { waited: boolean }) {
  let began: number | undefined
  let seen = 0
  const cpuBeforeMs = waited ? cpuMsOfAll(otherUsers()) : 0
  let cpuMs = 0

  function look(): void {
    const processes = otherUsers()
    if (processes.length === 0) return
    seen = now()
    began ??= seen
    // the time of an orphan goes with it
    cpuMs = Math.max(cpuMs, cpuMsOfAll(processes) - cpuBeforeMs)
  }

  // biome-ignore lint/style/noRestrictedGlobals: it runs alone in a container, where no clock is handed in
  setInterval(look, SAMPLE_MS).unref()
  return (request: Record<string, unknown>): string | undefined => {
    if (request.usage !== true) return undefined
    look()
    const usage: GatewayUsage = { runningMs: began === undefined ? 0 : seen - began, cpuMs, cpuBeforeMs, ...traffic() }
    return JSON.stringify(usage)
  }
}

function cpuMsOfAll(pids: readonly string[]): number {
  return pids.map(cpuMsOf).reduce((sum, ms) => sum + ms, 0)
}

function cpuMsOf(pid: string): number {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return CPU_FIELDS.reduce((sum, index) => sum + Number(fields[index] ?? 0), 0) * TICK_MS
  } catch {
    // it has ended
    return 0
  }
}
