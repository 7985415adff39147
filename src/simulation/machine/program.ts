import type { Duplex } from 'node:stream'

/** What a simulated program has of its run. */
export interface ProgramContext {
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Its code on the node's disk, and where it starts below that. */
  readonly codeDir: string | undefined
  readonly workdir: string
  /** Writes to its output. */
  write(stream: 'out' | 'err', data: string | Uint8Array): void
  /** Answers connections to a port that the service declares. */
  listen(port: number, onConnection: (connection: Duplex) => void): void
  /** Called where the run is asked to end. */
  onTerminate(callback: () => void): void
  /** Rejects where the run is killed. */
  sleep(ms: number): Promise<void>
  /** Aborts when the run is over, however it ends. */
  readonly ended: AbortSignal
}

/** Answers its exit code. One that is asked to end and does not is killed. */
export type Program = (context: ProgramContext) => Promise<number>

/** By the name that a service's command has first. */
export type Programs = Readonly<Record<string, Program>>

/** A service that answers everyone with its name, until it is stopped; and a task that works for so many seconds. */
export const standardPrograms: Programs = {
  async serve({ args, listen, onTerminate, write }) {
    const [port = '8080'] = args
    listen(Number(port), (connection) => void connection.end(`served by ${args.join(' ')}\n`))
    write('out', `listens on port ${port}\n`)
    return await new Promise<number>((resolve) => onTerminate(() => resolve(0)))
  },
  async work({ args, sleep, write }) {
    const [seconds = '1', code = '0'] = args
    await sleep(Number(seconds) * 1000)
    write('out', `worked for ${seconds} s\n`)
    return Number(code)
  },
}
