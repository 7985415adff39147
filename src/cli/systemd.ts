import { type Clock, sleep } from '../base/clock.ts'
import { messageOf } from '../base/errors.ts'
import { howMany } from '../base/format.ts'
import type { Log } from '../base/log.ts'
import type { Env } from '../config/index.ts'
import type { Health } from '../node/types.ts'
import { findProgram, type ProcessSpec, runProcess } from '../process/index.ts'

const NOTIFY_MS = 5_000
/** How often systemd gets the status, where it has changed. */
const STATUS_MS = 30_000

/** What systemd knows of the program. Node.js cannot write to its socket, so `systemd-notify` does. */
export interface ServiceManager {
  /** The program is ready; from here on the status follows what `health` says, until the signal aborts. */
  ready(health: () => Promise<Health>, options: { signal: AbortSignal }): Promise<void>
  reloading(): Promise<void>
  /** The reload is over, whatever came of it. */
  reloaded(): Promise<void>
  stopping(): Promise<void>
}

export interface ServiceManagerComponents {
  clock: Clock
  log: Pick<Log, 'warn'>
  env: Env
  /** the path of systemd-notify; default: where the system has it */
  program?: string | undefined
  /** default: starts it */
  run?(spec: ProcessSpec): Promise<{ readonly exitCode: number; readonly stderr: string }>
}

/** Does nothing where the program was not started by systemd as a unit of `Type=notify`. */
export function createServiceManager(components: ServiceManagerComponents): ServiceManager {
  const { clock, log, env, run } = components
  const { NOTIFY_SOCKET } = env
  const start = run ?? ((spec: ProcessSpec) => runProcess(clock, spec, { timeoutMs: NOTIFY_MS }))
  const program = components.program ?? (NOTIFY_SOCKET === undefined ? undefined : findProgram('systemd-notify'))
  let last = ''

  async function notify(...assignments: string[]): Promise<void> {
    if (NOTIFY_SOCKET === undefined || program === undefined) return
    try {
      const spec = { kind: 'tool', program, args: assignments, env: { NOTIFY_SOCKET } } as const
      const { exitCode, stderr } = await start(spec)
      if (exitCode !== 0) throw new Error(stderr.trim() || `exit code ${exitCode}`)
    } catch (error) {
      // the node goes on: systemd ends it after its own patience, and says so
      log.warn('systemd was not notified', { what: assignments.join(' '), reason: messageOf(error) })
    }
  }

  async function follow(health: () => Promise<Health>, signal: AbortSignal): Promise<void> {
    for (;;) {
      await sleep(clock, STATUS_MS, { signal })
      const text = statusText(await health())
      if (text !== last) await notify(`STATUS=${text}`)
      last = text
    }
  }

  return {
    async ready(health, { signal }) {
      if (NOTIFY_SOCKET === undefined) return
      if (program === undefined) {
        log.warn('systemd-notify is missing, so systemd cannot be told that the node is ready; install systemd')
        return
      }
      last = statusText(await health())
      await notify('READY=1', `STATUS=${last}`)
      follow(health, signal).catch(() => {})
    },
    reloading: () => notify('RELOADING=1'),
    reloaded: () => notify('READY=1'),
    stopping: () => notify('STOPPING=1', 'STATUS=stopping'),
  }
}

function statusText({ peers, running, drain, paused }: Health): string {
  const held = [...(drain === undefined ? [] : ['drained']), ...(paused === undefined ? [] : ['paused'])]
  return [howMany(running, 'run', 'runs'), howMany(peers, 'peer', 'peers'), ...held].join(', ')
}
