import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { decodeStatement } from '../../../protocols/statement.ts'
import { errnoOf, InputError, messageOf } from '../../base/errors.ts'
import type { Cli } from '../cli.ts'

/** Writes it whole or not at all; an earlier statement in its place is replaced, another file is not. */
export async function writeStatement({ cwd }: Pick<Cli, 'cwd'>, out: string, encoded: Uint8Array): Promise<string> {
  const path = resolve(cwd, out)
  const draft = join(dirname(path), `.${basename(path)}.${process.pid}`)
  return await orExplain(out, async () => {
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
  return await orExplain(out, async () => {
    await writeFile(path, text, { flag: 'wx', flush: true })
    return path
  })
}

async function refuseOther(path: string, out: string): Promise<void> {
  const there = await readFile(path).catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  })
  if (there === undefined) return
  try {
    decodeStatement(there)
  } catch (cause) {
    throw new InputError(`${out} is there already and is no statement; it is not overwritten`, { cause })
  }
}

async function orExplain<T>(out: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write()
  } catch (error) {
    if (error instanceof InputError || errnoOf(error) === undefined) throw error
    const what =
      errnoOf(error) === 'EEXIST' ? 'is there already; it is not overwritten' : `cannot be written: ${messageOf(error)}`
    throw new InputError(`${out} ${what}`, { cause: error })
  }
}
