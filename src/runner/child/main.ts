import { Socket } from 'node:net'
import { systemClock } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import { createLineReader, type Item, type ProcessInit, type ToProcess } from '../ipc-messages.ts'
import { createRunnerLog } from './context.ts'
import { describe } from './describe.ts'
import { endWithHost } from './guard.ts'
import { provideLegacyGlobals } from './legacy-globals.ts'
import { loadRunner } from './load.ts'
import { READ_FD, send } from './pipe.ts'
import { resolveOwnPackage } from './resolve.ts'
import { createServer } from './serve.ts'

/** The runner's process: says `ready` when the module is loaded, then answers until its host is gone. */
async function start(init: ProcessInit): Promise<(items: readonly Item[]) => void> {
  const legacyGlobals = provideLegacyGlobals(init.config, createRunnerLog())
  resolveOwnPackage(init.module)
  const guarded = await endWithHost()
  const runner = await loadRunner(init)
  send({ ready: { uid: process.getuid?.(), guarded } })
  // Only a function of one argument reads the globals during a call; the others need not pay for them.
  const server = createServer({
    runner,
    legacyGlobals: runner.length <= 1 ? legacyGlobals : undefined,
    timeoutMs: init.timeoutMs,
    clock: systemClock(),
  })
  return server.take
}

// Taken before the module could replace or lose them.
const end = process.kill.bind(process, process.pid, 'SIGKILL')
let take: ((items: readonly Item[]) => void) | undefined

process.on('uncaughtException', (error) => {
  send({ fatal: describe(error) })
  end()
})

const read = createLineReader(Number.MAX_SAFE_INTEGER, (line) => {
  const items = JSON.parse(line) as ToProcess
  if (take !== undefined) return take(items)
  const [first] = items
  if (first?.[0] !== 'init') throw new Error('the first line must be init')
  start(first[1]).then(
    (server) => {
      take = server
    },
    (error) => {
      send({ unusable: messageOf(error) })
      end()
    },
  )
})

const socket = new Socket({ fd: READ_FD, readable: true, writable: false })
socket.setEncoding('utf8')
socket.on('data', read)
socket.on('end', end)
