import { rmdirSync, rmSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { createInterface } from 'node:readline'
import { machineClock } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import type { Conduct } from '../live/hosting/conduct.ts'
import type { Line, Setup } from '../live/messages.ts'

/** How often it tells how far it is. */
const MARK_MS = 50

// Ctrl-C reaches all processes of a terminal; this one ends with the one that started it
process.on('SIGINT', () => {})
const clock = machineClock()
let setup: Setup | undefined
let conduct: Promise<Conduct<never>> | undefined

function tell(line: Line): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

function fail(error: unknown): never {
  writeSync(2, `${messageOf(error)}\n`)
  process.exit(1)
}

process.on('unhandledRejection', fail)
process.on('uncaughtException', fail)
// the one that started it is gone
process.stdout.on('error', () => {})

async function conductOf(first: Setup): Promise<Conduct<never>> {
  if (first.role === 'relay') {
    const { createRelay } = await import('../live/hosting/relay.ts')
    return createRelay(first.scenario)
  }
  const { hostNodes } = await import('../live/hosting/live-nodes.ts')
  const found = await hostNodes({ ...first, tell })
  clock.every(MARK_MS, () => tell({ mark: clock.monotonic() }))
  return found
}

async function carryOut(line: string): Promise<void> {
  const { question, ...order } = JSON.parse(line) as { question: number }
  try {
    tell({ answer: question, value: await (await conduct)?.(order as never) })
  } catch (error) {
    tell({ answer: question, error: messageOf(error) })
  }
}

createInterface({ input: process.stdin })
  .on('line', (line) => {
    if (setup !== undefined) return void carryOut(line)
    setup = JSON.parse(line) as Setup
    conduct = conductOf(setup)
  })
  .on('close', () => {
    if (setup?.role === 'nodes') removeFolder(setup.dir)
    process.exit(0)
  })

/** At once, so that no node writes there meanwhile: only what the kernel was told before may come in between. */
function removeFolder(dir: string): void {
  try {
    rmSync(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
    // the last one takes the folder of all
    rmdirSync(dirname(dir))
  } catch {
    // there is nobody to tell
  }
}
