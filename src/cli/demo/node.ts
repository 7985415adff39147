import { createInterface } from 'node:readline'
import { raceSignal } from 'race-signal'
import { type Clock, deadline } from '../../base/clock.ts'
import { ThundercloudError, TimeoutError } from '../../base/errors.ts'
import { type ChildProcess, startProcess } from '../../process/index.ts'

/** A node starts in one to three seconds; ten times that is a machine that will not do. */
const READY_MS = 45_000
/** What an orderly stop takes at most: the grace of its runs and a little. */
const STOP_MS = 20_000

export class DemoNodeError extends ThundercloudError {
  override readonly name = 'DemoNodeError'
}

/** One line of `start --json`: an event's name beside its detail. */
export type DemoNodeEvent = { readonly event: string } & Readonly<Record<string, unknown>>

/** One node of the demo, in a process of its own. It ends when this one does: its IPC channel closes. */
export interface DemoNode extends AsyncDisposable {
  readonly name: string
  readonly dir: string
  readonly peerId: string
  readonly address: string
  readonly multiaddrs: readonly string[]
  /** origin of its API */
  readonly api: string
  /** The first event that matches, of those that came and those that will. Rejects when the node ends. */
  event(matches: (event: DemoNodeEvent) => boolean, options: { signal: AbortSignal }): Promise<DemoNodeEvent>
}

export type DemoNodeInit = {
  name: string
  dir: string
  command: readonly string[]
  env: Readonly<Record<string, string | undefined>>
  signal: AbortSignal
}

/** Starts `thundercloud start DIR --json` and waits until it is ready. */
export async function startDemoNode(
  clock: Clock,
  { name, dir, command, env, signal }: DemoNodeInit,
): Promise<DemoNode> {
  const args = [...command, 'start', dir, '--json', '--stop-runs']
  const child = startProcess(
    { kind: 'node', program: process.execPath, args, env, cwd: process.cwd() },
    { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] },
  )
  const history = followEvents(child, name)
  try {
    using patience = deadline(
      clock,
      READY_MS,
      new TimeoutError(`node "${name}" was not ready in ${READY_MS / 1000} s`),
      signal,
    )
    const ready = await history.event(({ event }) => event === 'ready', { signal: patience.signal })
    const { peerId, address, multiaddrs, api } = ready as unknown as Pick<
      DemoNode,
      'peerId' | 'address' | 'multiaddrs' | 'api'
    >
    return {
      name,
      dir,
      peerId,
      address,
      multiaddrs,
      api,
      event: history.event,
      [Symbol.asyncDispose]: () => stop(clock, child),
    }
  } catch (error) {
    await stop(clock, child)
    throw error
  }
}

function followEvents(child: ChildProcess, name: string): Pick<DemoNode, 'event'> {
  const seen: DemoNodeEvent[] = []
  const stderrLines: string[] = []
  const waiting = new Set<() => void>()
  let ended: DemoNodeError | undefined
  const wake = () => {
    for (const resolve of waiting) resolve()
  }
  if (child.stdout !== null) {
    createInterface(child.stdout).on('line', (line) => {
      seen.push(JSON.parse(line) as DemoNodeEvent)
      wake()
    })
  }
  if (child.stderr !== null) {
    createInterface(child.stderr).on('line', (line) => {
      stderrLines.push(line)
      if (stderrLines.length > 20) stderrLines.shift()
    })
  }
  child.once('close', (code, signal) => {
    ended = new DemoNodeError([`node "${name}" ended with ${signal ?? `code ${code}`}`, ...stderrLines].join('\n'))
    wake()
  })
  return {
    async event(matches, { signal }) {
      for (;;) {
        const found = seen.find(matches)
        if (found !== undefined) return found
        if (ended !== undefined) throw ended
        const { promise, resolve } = Promise.withResolvers<void>()
        waiting.add(resolve)
        try {
          await raceSignal(promise, signal)
        } finally {
          waiting.delete(resolve)
        }
      }
    },
  }
}

/** Closing the channel asks it to stop in good order; SIGKILL is for one that does not. */
async function stop(clock: Clock, child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  // not `close`: whatever inherited its output must not keep us waiting
  const closed = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  if (child.connected) child.disconnect()
  using _timer = clock.after(STOP_MS, () => void child.kill('SIGKILL'))
  await closed
  child.stdout?.destroy()
  child.stderr?.destroy()
}
