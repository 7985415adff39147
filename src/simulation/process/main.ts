import { createHash } from 'node:crypto'
import { writeSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { messageOf } from '../../base/errors.ts'
import type { SimEvent } from '../events.ts'
import { isOfCrash } from '../machine/fence.ts'
import type { Scenario } from '../scenario/scenario.ts'
import type { Outcome } from '../types.ts'
import { drive, runDry } from './drive.ts'
import { replaceGlobals } from './globals.ts'

/** A timer that is left when all nodes are closed, and that nobody sets again, is over by then. */
const DRY_AFTER_MS = 20 * 60_000

// before anything of the node is imported: libraries take time and chance from the globals
const globals = replaceGlobals()
const { play } = await import('../whole/play.ts')
const { forbidNondeterminism } = await import('./guard.ts')

const scenario = JSON.parse(await text(process.stdin)) as Scenario
const hash = createHash('sha256')
const counts: Record<string, number> = {}
let events = 0

/** Standard output is written at once: a stream would wait for the kernel. */
function write(line: string): void {
  const bytes = Buffer.from(`${line}\n`)
  for (let written = 0; written < bytes.byteLength; ) written += writeSync(1, bytes, written)
}

function fail(error: unknown): never {
  writeSync(2, `${messageOf(error)}\n`)
  process.exit(1)
}

globals.seed(scenario.seed)
forbidNondeterminism(fail)
let lastMs = 0
function onEvent(event: SimEvent): void {
  const line = JSON.stringify({ sim: event })
  hash.update(`${line}\n`)
  events++
  counts[event.event] = (counts[event.event] ?? 0) + 1
  lastMs = event.ms
  write(line)
}
// the process of a node would end by it; what one that has crashed leaves behind harms nobody
const onUnhandled = (error: unknown) => {
  if (!isOfCrash(error)) onEvent({ ms: lastMs, node: -1, event: 'unhandled', error: messageOf(error) })
}
process.on('unhandledRejection', onUnhandled)
process.on('uncaughtException', onUnhandled)
const work = () =>
  play(scenario, {
    onNodeEvent(event) {
      const line = JSON.stringify(event)
      hash.update(`${line}\n`)
      write(line)
    },
    onEvent,
  })
const { endedMs, crashPoints, traffic } = await drive(globals, work, onUnhandled).catch(fail)
const timers = await runDry(globals, DRY_AFTER_MS, onUnhandled)
if (timers > 0) onEvent({ ms: Math.max(lastMs, endedMs), node: -1, event: 'leftover', timers })
const outcome: Pick<Outcome, 'sha256' | 'events' | 'counts' | 'endedMs' | 'crashPoints' | 'peakMemoryBytes'> = {
  sha256: hash.digest('hex'),
  events,
  counts,
  endedMs,
  crashPoints,
  peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
}
write(JSON.stringify({ outcome, traffic }))
process.exit(0)
