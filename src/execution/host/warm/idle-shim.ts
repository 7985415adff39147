import { rm, writeFile } from 'node:fs/promises'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { type Duplex, Readable } from 'node:stream'
import type { Clock } from '../../../base/clock.ts'
import { readLine, startGatewayServer } from '../../gateway/server.ts'
import { createLogWriter, pumpOutput } from '../../logs/writer.ts'
import { type RunFiles, readJson, type ShimSpec } from '../run-files.ts'
import { type ShimCommand, type StartedCommand, startCommand } from '../shim-command.ts'
import { BOOTSTRAP_FD, BOOTSTRAP_FILE, NODE_BOOTSTRAP } from './bootstrap.ts'
import { SERVICE_ROOT } from './mounts.ts'

/** The descriptor by which a node tells a shim to begin. */
export const ORDER_FD = 4

/** A shim that was told to begin. */
export type Order = {
  /** What waits for the message of this plan; undefined where it has none: then nothing waits any more. */
  commandFor(plan: ShimSpec): StartedCommand | undefined
  begin(message: string): void
  /** Reports that the gateway is open and the command has begun. */
  done(): void
}

/** Undefined when the node has gone: what waits is ended, and the shim ends too. */
export async function waitForOrder(files: RunFiles, clock: Clock): Promise<Order | undefined> {
  const order = new Socket({ fd: ORDER_FD })
  order.on('error', () => {})
  const spec = await readJson<ShimCommand>(files.idle)
  const program = join(SERVICE_ROOT, BOOTSTRAP_FILE)
  if (spec?.bootstrap === 'node') await writeFile(program, NODE_BOOTSTRAP)
  const command = spec && startCommand(spec, files)
  const pipes: readonly unknown[] = command?.child.stdio ?? []
  const pipe = pipes[BOOTSTRAP_FD] as Duplex | undefined
  pipe?.on('error', () => {})
  let waiting = true
  void command?.ended.then(() => waiting && order.destroy())
  try {
    await rehearse(clock)
    if (pipe !== undefined) {
      await readLine(pipe)
      // it has been read: the run finds nothing of it
      await rm(program, { force: true })
    }
    order.write('ready\n')
    await readLine(order)
  } catch {
    order.destroy()
    command?.child.kill('SIGKILL')
    return undefined
  }
  waiting = false
  return {
    commandFor({ message }) {
      if (message !== undefined) return command
      command?.child.kill('SIGKILL')
      return undefined
    },
    begin: (message) => void pipe?.resume().end(message),
    done: () => void order.end('begun\n', () => order.destroy()),
  }
}

/** Does once what a start does, so that its code is loaded and compiled. */
async function rehearse(clock: Clock): Promise<void> {
  const dir = 'rehearsal'
  const writer = createLogWriter(dir, 'run', { maxBytes: 1024, keep: 0 })
  await pumpOutput(Readable.from([Buffer.from('a line\n')]), 'out', { writer, clock })
  await writer[Symbol.asyncDispose]()
  const gateway = await startGatewayServer({ path: join(dir, 's'), ports: [] })
  gateway.close()
  await rm(dir, { recursive: true, force: true })
}
