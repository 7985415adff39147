import { rm, writeFile } from 'node:fs/promises'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { type Duplex, Readable } from 'node:stream'
import type { Clock } from '../../../base/clock.ts'
import { readLine, startGatewayServer } from '../../gateway/server.ts'
import { createLogWriter, pumpOutput } from '../../logs/writer.ts'
import { type ParkedProgram, type RunFiles, readJson } from '../run-files.ts'
import { type ShimCommand, type StartedCommand, startCommand } from '../shim-command.ts'
import { messageFor, PARKED_FD, PARKED_PROGRAM, PARKED_PROGRAM_FILE } from './parked-program.ts'
import { SLOT_ROOT } from './slot-mounts.ts'

/** The descriptor by which a node tells a shim to begin. */
export const ORDER_FD = 4

/** A shim that was told to begin. */
export type Order = {
  /** The Node.js that waits for its program, if there is one. */
  readonly command: StartedCommand | undefined
  begin(program: ParkedProgram): void
  /** Reports that the gateway is open and the command has begun. */
  done(): void
}

/** Undefined when the node has gone: what was parked is ended, and the shim ends too. */
export async function waitForOrder(files: RunFiles, clock: Clock): Promise<Order | undefined> {
  const order = new Socket({ fd: ORDER_FD })
  order.on('error', () => {})
  const spec = await readJson<ShimCommand>(files.parked)
  const program = join(SLOT_ROOT, PARKED_PROGRAM_FILE)
  if (spec !== undefined) await writeFile(program, PARKED_PROGRAM)
  const command = spec && startCommand(spec, files)
  const pipes: readonly unknown[] = command?.child.stdio ?? []
  const pipe = pipes[PARKED_FD] as Duplex | undefined
  pipe?.on('error', () => {})
  let waiting = true
  void command?.ended.then(() => waiting && order.destroy())
  try {
    await rehearse(clock)
    if (pipe !== undefined) {
      await readLine(pipe)
      // it has been read: the run finds nothing of it
      await rm(program)
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
    command,
    begin: (program) => void pipe?.resume().end(messageFor(program)),
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
