import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type ApiClient, createApiClient } from '../../../src/api/client/client.ts'
import { MAIN } from '../../build.ts'

const PATIENCE_MS = 60_000

export type Told = { event: string } & Readonly<Record<string, unknown>>

/** A node as a person runs it: the program in a process of its own, its events from its output, its API. */
export interface NodeProcess extends AsyncDisposable {
  readonly peerId: string
  readonly multiaddrs: readonly string[]
  readonly api: ApiClient
  readonly told: readonly Told[]
  /** The first event that matches, of those told and those to come. */
  hears(matches: (told: Told) => boolean): Promise<Told>
  /** `then` is called in the turn in which the event is read. */
  hearsAtOnce(matches: (told: Told) => boolean, then: (told: Told) => void): Promise<Told>
  /** SIGKILL to this process alone. */
  kill(): Promise<void>
  /** SIGTERM; resolves with the exit code and what it wrote to standard error. */
  quit(): Promise<{ code: number | null; stderr: string }>
}

export async function startNode(
  dir: string,
  { args = [], env = {} }: { args?: readonly string[]; env?: Readonly<Record<string, string>> } = {},
): Promise<NodeProcess> {
  const command = [MAIN, 'start', dir, '--json', ...args]
  const child = spawn(process.execPath, command, {
    env: { PATH: process.env.PATH ?? '', ...env },
    // it ends when this process does, whatever ends it
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  const told: Told[] = []
  const listeners = new Set<(event: Told) => void>()
  let stderr = ''
  child.stderr?.on('data', (piece: Buffer) => {
    stderr += piece.toString()
  })
  const ended = once(child, 'exit')
  createInterface(child.stdout as NonNullable<ChildProcess['stdout']>).on('line', (line) => {
    const event = JSON.parse(line) as Told
    told.push(event)
    for (const listener of [...listeners]) listener(event)
  })

  function hearsAtOnce(matches: (event: Told) => boolean, then: (event: Told) => void): Promise<Told> {
    const past = told.find(matches)
    if (past !== undefined) {
      then(past)
      return Promise.resolve(past)
    }
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        clearTimeout(timer)
        listeners.delete(listener)
        child.off('exit', gone)
        act()
      }
      const listener = (event: Told) => {
        if (!matches(event)) return
        then(event)
        settle(() => resolve(event))
      }
      const gone = () => settle(() => reject(new Error(`the node ended: ${stderr.slice(-2000)}`)))
      const late = () =>
        settle(() => reject(new Error(`never told; last: ${JSON.stringify(told.slice(-8))}\n${stderr}`)))
      const timer = setTimeout(late, PATIENCE_MS)
      child.once('exit', gone)
      listeners.add(listener)
    })
  }
  const hears = (matches: (event: Told) => boolean) => hearsAtOnce(matches, () => {})

  const ready = await hears(({ event }) => event === 'ready').catch((error: unknown) => {
    child.kill('SIGKILL')
    throw error
  })
  const token = (await readFile(join(dir, 'api.token'), 'utf8')).trim()
  return {
    peerId: ready.peerId as string,
    multiaddrs: ready.multiaddrs as string[],
    api: createApiClient({ url: ready.api as string, token }),
    told,
    hears,
    hearsAtOnce,
    async kill() {
      child.kill('SIGKILL')
      await settled(child, ended)
    },
    async quit() {
      child.kill('SIGTERM')
      await settled(child, ended)
      return { code: child.exitCode, stderr }
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await settled(child, ended)
    },
  }
}

async function settled(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await ended
}
