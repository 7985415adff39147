import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { InputError } from '../../../src/base/errors.ts'
import { initFolder } from '../../../src/config/index.ts'

/** A temporary folder that is removed when its scope ends. */
export async function folder(): Promise<{ path: string; in: (...names: string[]) => string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'thundercloud-config-'))
  return {
    path,
    in: (...names) => join(path, ...names),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  }
}

export const ROOT = join(import.meta.dirname, '..', '..', '..')

/** A temporary folder with an operator's folder below it, as init writes it. */
export async function operatorFolder(options: Parameters<typeof initFolder>[1] = {}) {
  const temp = await folder()
  const dir = temp.in('node')
  await initFolder(dir, options)
  return { ...temp, dir }
}

/** The one sentence with which an input was refused. */
export function sentenceOf(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    expect(error).toBeInstanceOf(InputError)
    return (error as Error).message
  }
  return 'was accepted'
}
