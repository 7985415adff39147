import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../../base/clock.ts'
import { InputError } from '../../../base/errors.ts'
import type { Log } from '../../../base/log.ts'
import type { Rng } from '../../../base/rng.ts'
import { createSandboxExecutor } from '../../../execution/index.ts'
import type { ScanEnd, ScanTask } from '../../../hub/index.ts'

/** Where the scanner finds its input. */
const SERVICE = '/scan/service.json'
const ENV = { THUNDERCLOUD_SERVICE: SERVICE, THUNDERCLOUD_CODE: '/code' }
/** A scanner may use a core, and start programs. */
const CPU_MILLICORES = 1000
const PIDS = 256

export interface ScanSandbox {
  scan(task: ScanTask, options: { signal: AbortSignal }): Promise<ScanEnd>
}

/**
 * The sandbox of this machine, for scanners. First it ends and removes what an earlier process of the hub left.
 * Throws an InputError without a sandbox: untrusted code is not scanned without one.
 */
export async function openScanSandbox(
  components: { clock: Clock; rng: Rng; log: Log },
  init: { nodeId: string; runtimeDir: string; dir: string; bubblewrap?: string | undefined },
): Promise<ScanSandbox> {
  const { nodeId, runtimeDir, dir, bubblewrap = 'bwrap' } = init
  const sandbox = createSandboxExecutor(components, { nodeId, runtimeDir, dir, bubblewrap })
  const unavailable = await sandbox.unavailableReason()
  if (unavailable !== undefined) throw new InputError(`a hub scans code in a sandbox only: ${unavailable}`)
  await sandbox.removeLeftovers()
  const given = join(dir, 'given')
  await mkdir(given, { recursive: true, mode: 0o700 })
  return {
    async scan({ command, codeDir, shows, description, memoryBytes, diskBytes, timeoutMs }, { signal }) {
      const service = join(given, `${components.rng.uuid()}.json`)
      // the folder is the hub's alone; the file is for the scanner, which is another user
      await writeFile(service, `${JSON.stringify(description, null, 2)}\n`, { mode: 0o644 })
      try {
        return await sandbox.run(
          {
            command,
            codeDir,
            readOnlyMounts: [...shows, { path: service, as: SERVICE }],
            env: ENV,
            limits: { memoryBytes, diskBytes, cpuMillicores: CPU_MILLICORES, pids: PIDS },
            timeoutMs,
          },
          { signal },
        )
      } finally {
        await rm(service, { force: true })
      }
    },
  }
}
