import { open, stat } from 'node:fs/promises'
import { errnoOf, InputError, messageOf } from '../base/errors.ts'
import { JsonSyntaxError, parseJson } from './json.ts'

/** Settings are written by people; what is larger is some other file. */
export const MAX_SETTINGS_BYTES = 1024 * 1024

export type ReadOptions = { signal?: AbortSignal | undefined }

/** Reads a file of settings. `file` is how messages call it, `advice` what to do when it is not there. */
export async function readText(path: string, file: string, advice: string, options: ReadOptions = {}): Promise<string> {
  options.signal?.throwIfAborted()
  try {
    await using handle = await open(path, 'r')
    const info = await handle.stat()
    if (!info.isFile()) throw new InputError(`${file} is not a file (${path})`)
    if (info.size > MAX_SETTINGS_BYTES) throw tooLarge(file, info.size)
    return await handle.readFile({ encoding: 'utf8', signal: options.signal })
  } catch (error) {
    throw explain(error, file, path, advice)
  }
}

export async function readJson(
  path: string,
  file: string,
  advice: string,
  options: ReadOptions = {},
): Promise<unknown> {
  return textToJson(await readText(path, file, advice, options), file)
}

export function textToJson(text: string, file: string): unknown {
  // a character has at most three bytes
  const bytes = text.length * 3 > MAX_SETTINGS_BYTES ? Buffer.byteLength(text) : 0
  if (bytes > MAX_SETTINGS_BYTES) throw tooLarge(file, bytes)
  try {
    return parseJson(text)
  } catch (error) {
    if (error instanceof JsonSyntaxError)
      throw new InputError(`${file} is not JSON: ${error.message}`, { cause: error })
    throw error
  }
}

function tooLarge(file: string, bytes: number): InputError {
  return new InputError(`${file} has ${bytes} bytes; allowed are at most ${MAX_SETTINGS_BYTES} (1 MiB)`)
}

export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error: unknown) => !['ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? ''),
  )
}

/** The permission bits, or undefined where there is no such file or the system has none. */
export async function modeOf(path: string): Promise<number | undefined> {
  if (process.platform === 'win32') return undefined
  try {
    return (await stat(path)).mode & 0o777
  } catch {
    return undefined
  }
}

/** Can anyone but the owner read it? */
export function isWorldReadable(mode: number | undefined): boolean {
  return mode !== undefined && (mode & 0o077) !== 0
}

export function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0')
}

function explain(error: unknown, file: string, path: string, advice: string): unknown {
  const code = errnoOf(error)
  if (error instanceof InputError || code === undefined || code === 'ABORT_ERR') return error
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return new InputError(`${file} is not there (${path}); ${advice}`, { cause: error })
  return new InputError(`${file} cannot be read (${path}): ${messageOf(error)}`, { cause: error })
}
