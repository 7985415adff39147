import type { KeyValueStore } from '../key-value.ts'

/** By this name a journal remembers that it is a backup's. */
const KEY = 'restored'
/** How often the original may have opened its journal after the backup: answers of the API must not get numbers that were given. */
const OPENINGS = 4096

/**
 * When this journal was restored from a backup, in whole seconds (UTC). What the node signed between the backup and then is
 * not in it, so whatever the node numbers must go on above it.
 */
export function restoredAt(meta: Pick<KeyValueStore, 'get'>): number | undefined {
  const text = meta.get(KEY)
  return text === undefined ? undefined : Number(text)
}

export function markRestored(meta: KeyValueStore, nowSeconds: number): void {
  meta.set(KEY, String(nowSeconds))
  meta.set('openings', String(Number(meta.get('openings') ?? 0) + OPENINGS))
}
