import { createHash } from 'node:crypto'
import { writeSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { messageOf } from '../../base/errors.ts'
import { isOfCrash } from '../machine/fence.ts'
import type { Scenario } from '../scenario/scenario.ts'
import type { Outcome } from '../types.ts'
import { drive } from './drive.ts'
import { replaceGlobals } from './globals.ts'

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
// what a process that has crashed leaves behind is not handled by anybody
const failUnlessCrashed = (error: unknown) => void (isOfCrash(error) || fail(error))
process.on('unhandledRejection', failUnlessCrashed)
process.on('uncaughtException', failUnlessCrashed)
const { endedMs, crashPoints } = await drive(globals, () =>
  play(scenario, {
    onNodeEvent(event) {
      const line = JSON.stringify(event)
      hash.update(`${line}\n`)
      write(line)
    },
    onEvent(event) {
      const line = JSON.stringify({ sim: event })
      hash.update(`${line}\n`)
      events++
      counts[event.event] = (counts[event.event] ?? 0) + 1
      write(line)
    },
  }),
)
const outcome: Pick<Outcome, 'sha256' | 'events' | 'counts' | 'endedMs' | 'crashPoints' | 'peakMemoryBytes'> = {
  sha256: hash.digest('hex'),
  events,
  counts,
  endedMs,
  crashPoints,
  peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
}
write(JSON.stringify({ outcome }))
process.exit(0)
