import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { constants, getPriority, setPriority } from 'node:os'
import { fileURLToPath } from 'node:url'

/** A child process of this harness, asked by messages. */
export interface Remote extends AsyncDisposable {
  readonly pid: number
  ask<T>(what: string, input?: unknown): Promise<T>
}

type Answer = { readonly id: number; readonly result?: unknown; readonly error?: string }

const BELOW_NORMAL = constants.priority.PRIORITY_BELOW_NORMAL

/** Starts one of the programs beside this file. */
export function startProcess(name: 'tested-node' | 'honest' | 'attacker'): Remote {
  const entry = fileURLToPath(new URL(`./${name}.ts`, import.meta.url))
  const child: ChildProcess = fork(entry, [], { execArgv: ['--conditions=thundercloud-source', '--expose-gc'] })
  // real attackers have their own machines: here they get the CPU time that the node and its neighbours leave
  if (name === 'attacker') setPriority(child.pid as number, Math.max(getPriority(), BELOW_NORMAL))
  const waiting = new Map<number, PromiseWithResolvers<unknown>>()
  const gone = once(child, 'exit')
  let count = 0
  child.on('message', ({ id, result, error }: Answer) => {
    const asked = waiting.get(id)
    waiting.delete(id)
    if (error === undefined) asked?.resolve(result)
    else asked?.reject(new Error(`${name}: ${error}`))
  })
  child.on('exit', (code, signal) => {
    for (const { reject } of waiting.values()) reject(new Error(`the ${name} process ended with ${signal ?? code}`))
    waiting.clear()
  })
  return {
    pid: child.pid as number,
    ask<T>(what: string, input: unknown = {}) {
      const asked = Promise.withResolvers<unknown>()
      if (child.exitCode !== null || child.signalCode !== null) throw new Error(`the ${name} process has ended`)
      waiting.set(++count, asked)
      child.send({ id: count, what, input })
      return asked.promise as Promise<T>
    },
    async [Symbol.asyncDispose]() {
      if (child.connected) child.disconnect()
      const late = setTimeout(() => child.kill('SIGKILL'), 10_000)
      await gone.catch(() => {})
      clearTimeout(late)
    },
  }
}

/** The other side: answers what it is asked until its parent leaves; then `close`, and the process ends. */
export function answer(
  handlers: Readonly<Record<string, (input: never) => Promise<unknown>>>,
  close: () => Promise<void>,
): void {
  // the caller may be gone
  process.on('error', () => {})
  process.on('message', async ({ id, what, input }: { id: number; what: string; input: unknown }) => {
    try {
      const result = await handlers[what]?.(input as never)
      process.send?.({ id, result } satisfies Answer)
    } catch (error) {
      process.send?.({ id, error: error instanceof Error ? error.message : String(error) } satisfies Answer)
    }
  })
  process.once('disconnect', () => {
    // whatever hangs, nothing of this outlives the harness
    setTimeout(() => process.exit(1), 8000).unref()
    close().then(
      () => process.exit(0),
      () => process.exit(1),
    )
  })
}
