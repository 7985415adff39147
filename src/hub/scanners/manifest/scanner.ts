import { basename, dirname } from 'node:path'
import { entryFile } from '../../../base/child-entry.ts'
import type { Scanner } from '../../scanner.ts'

/** Where the check's own files are seen. */
const CHECK = '/scan/check'
/** Node itself, and files read in pieces. */
const MEMORY_BYTES = 256 * 1024 * 1024
const DISK_BYTES = 1024 * 1024

/** Does the code fit its description, and does it contain secrets? See manifest/main.ts. */
export function manifestScanner(init: { timeoutMs: number }): Scanner {
  const entry = entryFile(import.meta.url, './main')
  return {
    name: 'manifest',
    // what it sees has no package.json, which Node remarks upon
    command: ['node', '--disable-warning=MODULE_TYPELESS_PACKAGE_JSON', `${CHECK}/${basename(entry)}`],
    shows: [{ path: dirname(entry), as: CHECK }],
    memoryBytes: MEMORY_BYTES,
    diskBytes: DISK_BYTES,
    timeoutMs: init.timeoutMs,
  }
}
