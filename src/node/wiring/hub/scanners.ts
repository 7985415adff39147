import type { HubSettings, ScannerSettings } from '../../../config/index.ts'
import { clamavScanner, manifestScanner, type Scanner } from '../../../hub/index.ts'

/** The manifest check reads every byte once. */
const MANIFEST_TIMEOUT_MS = 5 * 60_000
/** What a scanner of the operator may write: memory, like all that it uses. */
const DISK_BYTES = 256 * 1024 * 1024

/** The operator's scanners, as a hub runs them. */
export function scannersOf({ scanners, maxSize }: Pick<HubSettings, 'scanners' | 'maxSize'>): Scanner[] {
  return scanners.map((settings) => scannerOf(settings, maxSize))
}

function scannerOf(settings: ScannerSettings, maxSize: number): Scanner {
  switch (settings.kind) {
    case 'manifest':
      return manifestScanner({ timeoutMs: MANIFEST_TIMEOUT_MS })
    case 'clamav': {
      const { program, database, memoryBytes, timeoutMs } = settings
      return clamavScanner({ program, database, memoryBytes, timeoutMs, maxBytes: maxSize })
    }
    case 'command': {
      const { name, command, shows, memoryBytes, timeoutMs } = settings
      const shown = shows.map((path) => ({ path, as: path }))
      return { name, command, shows: shown, memoryBytes, timeoutMs, diskBytes: DISK_BYTES }
    }
  }
}
