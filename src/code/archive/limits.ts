import { CHUNK_BYTES, MAX_CHUNKS } from '../../../protocols/limits.ts'
import { ALWAYS_TAKEN_BYTES, DEFAULT_MAX_ENTRIES, MIN_BYTES_PER_FILE } from '../constants.ts'
import type { TarLimits } from './tar-read.ts'

/**
 * Limits of the code of a service with so much disk: its archive fits, and it holds no more files, folders and links
 * than an archive of that size can have headers.
 */
export function archiveLimitsFor(diskBytes: number): TarLimits {
  const maxBytes = Math.min(CHUNK_BYTES * MAX_CHUNKS, Math.max(diskBytes, ALWAYS_TAKEN_BYTES))
  return { maxBytes, maxEntries: Math.min(DEFAULT_MAX_ENTRIES, Math.floor(maxBytes / MIN_BYTES_PER_FILE)) }
}
