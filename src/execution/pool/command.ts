import { once } from 'node:events'
import { constants, openSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { Socket } from 'node:net'
import { type Clock, deadline, type Timer } from '../../base/clock.ts'
import { TimeoutError } from '../../base/errors.ts'
import { MEMORY_WATCH_MS } from '../constants.ts'
import { cpuMsOf, memoryOf } from '../host/processes.ts'
import type { ShimSpec } from '../host/run-files.ts'
import type { RunningCommand } from '../host/shim.ts'
import { createChecks } from '../host/shim-checks.ts'
import type { EndReason, RunEnd } from '../types.ts'
import { ownProcesses } from './processes.ts'

/** From the shim's word to what begins the run: it has waited for that. */
const BEGIN_MS = 30_000
const KILL_AGAIN_MS = 20
const KILLED = 137
const { O_RDONLY, O_RDWR, O_NONBLOCK } = constants
/** Where a control group says how often it had no memory left. */
const OOM_FILES = ['/sys/fs/cgroup/memory/memory.oom_control', '/sys/fs/cgroup/memory.events']

/** The names of the pipes between a run and its shim. */
export const PIPES = ['go', 'out', 'err', 'state', 'ask', 'checked'] as const

/**
 * A run that waits beside its shim: lets it begin, and stays with it. It is no child of the shim, but of the same user, and
 * the only one in the pool.
 */
export async function beginCommand(plan: ShimSpec, clock: Clock): Promise<RunningCommand> {
  const readable = (name: string, flags: number) => {
    const socket = new Socket({ fd: openSync(name, flags | O_NONBLOCK), readable: true, writable: false })
    return socket.on('error', () => {})
  }
  const before = await memoryShortages()
  // opened before anything writes; read when something does, or they would end at once
  const [out, err] = [openSync('out', O_RDONLY | O_NONBLOCK), openSync('err', O_RDONLY | O_NONBLOCK)]
  const status = statusLines(readable('state', O_RDWR))
  using limit = deadline(clock, BEGIN_MS, new TimeoutError('what begins the run does not answer'))
  await writeFile('go', 'go\n')
  await Promise.race([status.begun, once(limit.signal, 'abort').then(() => limit.signal.throwIfAborted())])

  let reason: EndReason = 'exit'
  let killing: Timer | undefined
  let ended = false
  /** What begins the run is root, and may just be about to: until it says that the run has ended. */
  function killAll(): void {
    if (ended) return
    // all processes of this user but this one, in one call of the kernel: none can be born meanwhile
    signal(-1, 'SIGKILL')
    killing ??= clock.every(KILL_AGAIN_MS, () => signal(-1, 'SIGKILL'))
  }
  /** what it had used at the last look: the kernel forgets it with its processes */
  let cpuMs = 0
  const watch = clock.every(MEMORY_WATCH_MS, () => {
    const processes = ownProcesses()
    cpuMs = Math.max(cpuMs, cpuMsOf(processes))
    if (reason === 'memory' || memoryOf(processes) <= Number(plan.watchMemory)) return
    reason = 'memory'
    killAll()
  })
  const asking = new Socket({ fd: openSync('ask', O_RDWR | O_NONBLOCK), readable: false, writable: true })
  const checks =
    plan.checks === true ? createChecks({ asking, answers: readable('checked', O_RDWR) }, clock) : undefined

  async function end(): Promise<RunEnd> {
    const code = await status.end
    ended = true
    const exitCode = killing === undefined ? code : KILLED
    killing?.cancel()
    watch.cancel()
    asking.destroy()
    if (reason === 'exit' && exitCode === KILLED && (await memoryShortages()) > before)
      return { exitCode, reason: 'memory', detail: 'its pool had no memory left', cpuMs }
    return { exitCode, reason, detail: reason === 'memory' ? 'it used more memory than granted' : undefined, cpuMs }
  }

  return {
    pid: undefined,
    out: new Socket({ fd: out, readable: true, writable: false }).on('error', () => {}),
    err: new Socket({ fd: err, readable: true, writable: false }).on('error', () => {}),
    end: end(),
    check: (seconds) => checks?.ask(seconds),
    async stop(graceMs, why) {
      if (reason === 'exit') reason = why
      const processes = ownProcesses()
      const first = processes.find(({ inner }) => inner === 1)
      const commands = processes.filter(({ parent }) => parent === first?.pid)
      for (const { pid } of commands) signal(pid, 'SIGTERM')
      if (commands.length === 0) killAll()
      else clock.after(graceMs, killAll)
    },
    processes: ownProcesses,
    stats() {
      const processes = ownProcesses()
      cpuMs = Math.max(cpuMs, cpuMsOf(processes))
      return { memoryBytes: memoryOf(processes), cpuMs, pids: processes.length }
    },
  }
}

/** What the run's first process says: "begun", and "end" with an exit code. The run itself cannot write there. */
function statusLines(pipe: Socket): { begun: Promise<void>; end: Promise<number> } {
  const begun = Promise.withResolvers<void>()
  const end = Promise.withResolvers<number>()
  let text = ''
  pipe.on('data', (piece: Buffer) => {
    text += piece.toString('latin1')
    if (text.startsWith('begun\n')) begun.resolve()
    const code = /^end (\d{1,3})$/m.exec(text)?.[1]
    if (code === undefined) return
    end.resolve(Number(code))
    pipe.destroy()
  })
  return { begun: begun.promise, end: end.promise }
}

async function memoryShortages(): Promise<number> {
  const texts = await Promise.all(OOM_FILES.map((path) => readFile(path, 'utf8').catch(() => '')))
  return Number(/^oom_kill (\d+)$/m.exec(texts.join('\n'))?.[1] ?? 0)
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // it has ended
  }
}
