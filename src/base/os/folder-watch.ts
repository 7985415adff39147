import { addAbortListener } from 'node:events'
import { type FSWatcher, watch } from 'node:fs'
import type { Clock } from '../clock.ts'

/** What changes in a folder, as soon as the kernel says it. */
export interface FolderWatch extends Disposable {
  /** Resolves at the first change since the last call, after `ms` at the latest: the kernel may watch no more folders, or not this one. */
  change(ms: number, signal?: AbortSignal): Promise<void>
}

export function watchFolder(clock: Clock, dir: string): FolderWatch {
  let changed = false
  let wake = () => {}
  let watcher: FSWatcher | undefined

  function begin(): FSWatcher | undefined {
    try {
      return watch(dir, { persistent: false }, () => {
        changed = true
        wake()
      }).on('error', close)
    } catch {
      return undefined // it is not there yet, or too much is watched
    }
  }

  function close(): void {
    watcher?.close()
    watcher = undefined
  }

  watcher = begin()
  return {
    async change(ms, signal) {
      if (watcher === undefined) {
        watcher = begin()
        // what has changed before is not known
        changed = watcher !== undefined
      }
      if (!changed && signal?.aborted !== true) {
        const { promise, resolve } = Promise.withResolvers<void>()
        wake = resolve
        const late = clock.after(ms, resolve)
        using _aborted = signal && addAbortListener(signal, () => resolve())
        await promise
        late.cancel()
        wake = () => {}
      }
      changed = false
    },
    [Symbol.dispose]: close,
  }
}
