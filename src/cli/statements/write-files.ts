import { rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { decodeStatement } from '../../../protocols/statement.ts'
import { errnoOf, InputError, systemMessageOf } from '../../base/errors.ts'
import { exists, readBytes } from '../../config/index.ts'
import type { Cli } from '../cli.ts'

/** What is larger is another file. */
const MAX_OTHER_BYTES = 64 * 1024

/** Writes it whole or not at all; an earlier statement in its place is replaced, another file is not. */
export async function writeStatement({ cwd }: Pick<Cli, 'cwd'>, out: string, encoded: Uint8Array): Promise<string> {
  const path = resolve(cwd, out)
  const draft = join(dirname(path), `.${basename(path)}.${process.pid}`)
  return await orExplain(out, path, async () => {
    await refuseOther(path, out)
    try {
      await writeFile(draft, encoded, { flush: true })
      await rename(draft, path)
    } finally {
      await rm(draft, { force: true })
    }
    return path
  })
}

/** Writes a world-readable file, and never overwrites one. */
export async function writeNew({ cwd }: Pick<Cli, 'cwd'>, out: string, text: string): Promise<string> {
  const path = resolve(cwd, out)
  return await orExplain(out, path, async () => {
    await writeFile(path, text, { flag: 'wx', flush: true })
    return path
  })
}

async function refuseOther(path: string, out: string): Promise<void> {
  if (!(await exists(path))) return
  try {
    decodeStatement(await readBytes(path, { file: out, advice: 'name another', maxBytes: MAX_OTHER_BYTES }))
  } catch (cause) {
    throw new InputError(`${out} is there already and is no statement; it is not overwritten`, { cause })
  }
}

async function orExplain<T>(out: string, path: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write()
  } catch (error) {
    if (error instanceof InputError || errnoOf(error) === undefined) throw error
    throw new InputError(`${out} ${problemOf(error, path)}`, { cause: error })
  }
}

function problemOf(error: unknown, path: string): string {
  const code = errnoOf(error)
  if (code === 'EEXIST') return 'is there already; it is not overwritten'
  const noFolder = code === 'ENOENT' || code === 'ENOTDIR'
  return `cannot be written: ${noFolder ? `there is no folder ${dirname(path)}` : systemMessageOf(error)}`
}
