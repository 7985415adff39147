import { closeSync, constants, openSync, writeSync } from 'node:fs'
import { chown } from 'node:fs/promises'
import { Socket } from 'node:net'
import { join } from 'node:path'
import type { Clock } from '../../../base/clock.ts'
import { UnavailableError } from '../../../base/errors.ts'
import { findProgram, runProcess } from '../../../process/index.ts'
import { readLine } from '../../gateway/server.ts'
import { ANSWER_FILE, ORDER_FILE } from './bootstrap.ts'

const MAKE_MS = 10_000

/** The node's ends of the pipes to a program that waits. When they close, it ends. */
export type WarmPipes = {
  order(): void
  /** Rejects when the program has ended. */
  answer(): Promise<string>
  /** It waits, and keeps this process no longer. */
  rest(): void
  close(): void
}

export async function openPipes(clock: Clock, dir: string, uid: number): Promise<WarmPipes> {
  const paths = [ORDER_FILE, ANSWER_FILE].map((name) => join(dir, name))
  const program = findProgram('mkfifo') ?? '/usr/bin/mkfifo'
  const spec = { kind: 'tool', program, args: ['-m', '0600', ...paths] } as const
  const { exitCode, stderr } = await runProcess(clock, spec, { timeoutMs: MAKE_MS })
  if (exitCode !== 0) throw new UnavailableError(`mkfifo: ${stderr.trim().slice(0, 200)}`)
  for (const path of paths) await chown(path, uid, uid)
  // without a reader yet, a pipe can be opened for both only
  let order: number | undefined = openSync(join(dir, ORDER_FILE), constants.O_RDWR | constants.O_NONBLOCK)
  const fd = openSync(join(dir, ANSWER_FILE), constants.O_RDONLY | constants.O_NONBLOCK)
  const answers = new Socket({ fd, readable: true, writable: false })
  answers.on('error', () => {})
  return {
    order() {
      if (order === undefined) throw new UnavailableError('a warm container has ended')
      writeSync(order, 'begin\n')
    },
    answer: () => readLine(answers),
    rest: () => void answers.unref(),
    close() {
      answers.destroy()
      if (order !== undefined) closeSync(order)
      order = undefined
    },
  }
}
