import { renameSync } from 'node:fs'
import * as fs from 'node:fs/promises'

/** What is known of a file or folder. Times are ms since 1970. */
export type FileInfo = {
  readonly size: number
  /** of 512 bytes, that it takes on the disk */
  readonly blocks: number
  readonly mtimeMs: number
  /** tells one file from another that has its name now */
  readonly ino: number
  isFile(): boolean
}

export interface OpenFile extends AsyncDisposable {
  read(bytes: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesRead: number }>
  write(bytes: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesWritten: number }>
  /** After what was written by this before; where it was opened with `a+`, at the end. */
  writeFile(data: string | Uint8Array): Promise<void>
  stat(): Promise<FileInfo>
  /** Resolves when a loss of power does not lose it any more. */
  sync(): Promise<void>
  close(): Promise<void>
}

/**
 * Where the node keeps files of its own: code, logs, results. Names and errors are those of `node:fs/promises`, which is
 * the disk of a machine; a simulation has one in memory.
 */
export interface Disk {
  /** Flags as in `node:fs`: `r` reads (the default), `w` empties the file first, `a+` reads and appends, a number is passed on. */
  open(path: string, flags?: 'r' | 'w' | 'a+' | number, mode?: number): Promise<OpenFile>
  readFile(path: string): Promise<Buffer>
  writeFile(path: string, data: string | Uint8Array, options?: { mode?: number }): Promise<void>
  mkdir(path: string, options?: { recursive?: boolean; mode?: number }): Promise<string | undefined>
  mkdtemp(prefix: string): Promise<string>
  readdir(path: string): Promise<string[]>
  rename(from: string, to: string): Promise<void>
  /** The same, before anything else can happen. */
  renameSync(from: string, to: string): void
  rm(path: string, options?: { recursive?: boolean; force?: boolean }): Promise<void>
  stat(path: string): Promise<FileInfo>
  /** in seconds */
  utimes(path: string, accessed: number, modified: number): Promise<void>
}

/** The disk of this machine. */
export function systemDisk(): Disk {
  return { ...fs, renameSync }
}
