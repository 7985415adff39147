import { watch } from 'node:fs'
import { basename } from 'node:path'
import type { Clock, Timer } from '../base/clock.ts'
import { SAVE_DEBOUNCE_MS } from './constants.ts'

/**
 * Calls `onSaved` once after files of code in the runner's folder were saved. The folder is watched and not the file,
 * which many editors replace by a new one. Settings are not code: config.json is read again by the node.
 */
export function watchCode(clock: Clock, dir: string, onSaved: () => void, onLost: (error: Error) => void): Disposable {
  let timer: Timer | undefined
  const watcher = watch(dir, { persistent: false }, (_event, name) => {
    if (name !== null && (basename(name) === 'config.json' || !/\.(m|c)?(j|t)s(on)?$/.test(name))) return
    timer?.cancel()
    timer = clock.after(SAVE_DEBOUNCE_MS, onSaved)
  })
  watcher.on('error', onLost)
  return {
    [Symbol.dispose]() {
      timer?.cancel()
      watcher.close()
    },
  }
}
