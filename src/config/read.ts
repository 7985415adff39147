import { constants } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { errnoOf, InputError, systemMessageOf } from '../base/errors.ts'
import { formatBytes } from '../base/format.ts'
import { JsonSyntaxError, parseJson } from './json.ts'

/** Settings are written by people; what is larger is some other file. */
export const MAX_SETTINGS_BYTES = 1024 * 1024

export type ReadOptions = { signal?: AbortSignal | undefined }

export type FileInit = ReadOptions & {
  /** how messages call it */
  readonly file: string
  /** what to do where it is not there, or is something else */
  readonly advice: string
  readonly maxBytes: number
}

/** A regular file, whole. It never waits for the writer of a pipe, and never reads more than `maxBytes`. */
export async function readBytes(path: string, init: FileInit): Promise<Uint8Array> {
  const { file, advice, maxBytes, signal } = init
  signal?.throwIfAborted()
  try {
    await using handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    const info = await handle.stat()
    if (info.isDirectory()) throw new InputError(`${file} is a folder${placeOf(path, file)}; ${advice}`)
    if (!info.isFile()) throw new InputError(`${file} is a pipe, a socket or a device${placeOf(path, file)}; ${advice}`)
    if (info.size > maxBytes) throw tooLarge(file, info.size, maxBytes)
    const pieces: Uint8Array[] = []
    // what is no file of a disk may be longer than it says
    for await (const piece of handle.createReadStream({ autoClose: false, end: maxBytes, signal })) pieces.push(piece)
    const bytes = new Uint8Array(Buffer.concat(pieces))
    if (bytes.byteLength > maxBytes) throw tooLarge(file, bytes.byteLength, maxBytes)
    return bytes
  } catch (error) {
    signal?.throwIfAborted()
    throw explain(error, path, init)
  }
}

/** Where it is, unless it is called by that. */
function placeOf(path: string, file: string): string {
  return file.endsWith(path) ? '' : ` (${path})`
}

/** Reads a file of settings. `file` is how messages call it, `advice` what to do when it is not there. */
export async function readText(path: string, file: string, advice: string, options: ReadOptions = {}): Promise<string> {
  const bytes = await readBytes(path, { file, advice, maxBytes: MAX_SETTINGS_BYTES, ...options })
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new InputError(`${file} is not text in UTF-8${placeOf(path, file)}; ${advice}`, { cause })
  }
}

/** A file that nobody but its owner may read. */
export async function readSecret(
  path: string,
  file: string,
  advice: string,
  options: ReadOptions = {},
): Promise<string> {
  const text = await readText(path, file, advice, options)
  const mode = await modeOf(path)
  if (mode === undefined || !isWorldReadable(mode)) return text
  throw new InputError(`${file} can be read by others on this machine (mode ${octal(mode)}); run \`chmod 600 ${path}\``)
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
  if (bytes > MAX_SETTINGS_BYTES) throw tooLarge(file, bytes, MAX_SETTINGS_BYTES)
  try {
    return parseJson(text)
  } catch (error) {
    if (error instanceof JsonSyntaxError)
      throw new InputError(`${file} is not JSON: ${error.message}`, { cause: error })
    throw error
  }
}

function tooLarge(file: string, bytes: number, most: number): InputError {
  return new InputError(`${file} has ${bytes} bytes; allowed are at most ${most} (${formatBytes(most)})`)
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

function explain(error: unknown, path: string, { file, advice }: FileInit): unknown {
  const code = errnoOf(error)
  if (error instanceof InputError || code === undefined) return error
  const problem = ['ENOENT', 'ENOTDIR'].includes(code)
    ? `is not there${placeOf(path, file)}; ${advice}`
    : `cannot be read${placeOf(path, file)}: ${systemMessageOf(error)}`
  return new InputError(`${file} ${problem}`, { cause: error })
}
