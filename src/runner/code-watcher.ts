import { type FSWatcher, readdirSync, statSync, watch } from 'node:fs'
import { basename, join } from 'node:path'
import type { Clock, Timer } from '../base/clock.ts'
import { MAX_WATCHED_FOLDERS, SAVE_DEBOUNCE_MS } from './constants.ts'

/**
 * Calls `onSaved` once after files of code in the runner's folder, or in one below it, were saved. Folders are watched
 * and not files, which many editors replace by new ones. Settings are not code: config.json is read again by the node.
 * Neither are tests, packages and hidden folders.
 */
export function watchCode(clock: Clock, dir: string, onSaved: () => void, onLost: (error: Error) => void): Disposable {
  const watchers = new Map<string, FSWatcher>()
  let timer: Timer | undefined
  let saved = false
  let closed = false

  /** Watches the folders that are there now; true where they are others than before. */
  const follow = (): boolean => {
    const found = foldersIn(dir)
    let changed = false
    for (const [key, watcher] of watchers) {
      if (found.has(key)) continue
      changed = true
      watcher.close()
      watchers.delete(key)
    }
    for (const [key, path] of found) {
      if (watchers.has(key)) continue
      changed = true
      start(key, path)
    }
    return changed
  }
  const start = (key: string, path: string) => {
    const watcher = watch(path, { persistent: false }, (_event, name) => {
      const file = name === null ? undefined : basename(name)
      const code = file === undefined || isCode(file)
      // A new folder may bring code with it, and is watched from then on.
      if (!code && !mayBeFolder(file)) return
      saved ||= code
      timer?.cancel()
      timer = clock.after(SAVE_DEBOUNCE_MS, settle)
    })
    watchers.set(key, watcher)
    watcher.on('error', (error) => {
      watcher.close()
      watchers.delete(key)
      if (path === dir) onLost(error)
    })
  }
  const settle = () => {
    if (closed) return
    const changed = follow()
    if (saved || changed) onSaved()
    saved = false
  }

  follow()
  return {
    [Symbol.dispose]() {
      closed = true
      timer?.cancel()
      for (const watcher of watchers.values()) watcher.close()
    },
  }
}

function isCode(name: string): boolean {
  return name !== 'config.json' && /\.[mc]?[jt]s(on)?$/.test(name) && !/\.test\.[mc]?[jt]s$/.test(name)
}

function mayBeFolder(name: string): boolean {
  return !name.includes('.') && name !== 'node_modules'
}

/** The folder and what is below it, as far as it may hold the runner's own code. One that was replaced has another key. */
function foldersIn(dir: string): Map<string, string> {
  const found = new Map<string, string>()
  for (const path of below([dir])) {
    const key = keyOf(path)
    if (key !== undefined) found.set(key, path)
  }
  // Its own folder is watched even where it cannot be looked at: that is an error to report.
  if (found.size === 0) found.set(dir, dir)
  return found
}

/** Grows during the iteration: breadth first, so that the deepest folders are left out. */
function below(paths: string[]): string[] {
  for (const path of paths) {
    for (const entry of entriesOf(path)) {
      if (paths.length >= MAX_WATCHED_FOLDERS) return paths
      if (entry.isDirectory() && mayBeFolder(entry.name)) paths.push(join(path, entry.name))
    }
  }
  return paths
}

function keyOf(path: string): string | undefined {
  try {
    return `${statSync(path).ino} ${path}`
  } catch {
    return undefined
  }
}

function entriesOf(path: string) {
  try {
    return readdirSync(path, { withFileTypes: true })
  } catch {
    return []
  }
}
