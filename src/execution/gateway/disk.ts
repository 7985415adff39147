import { statfs } from 'node:fs/promises'

/** A disk on which less than this is free takes nothing any more. */
const NOTHING_BYTES = 4096
const POLL_MS = 50

/** It runs from this folder alone, like the rest of the gateway. */
export async function isDiskFull(dir: string): Promise<boolean> {
  const found = await statfs(dir).catch(() => undefined)
  return found !== undefined && (found.bavail * found.bsize < NOTHING_BYTES || found.ffree === 0)
}

/** Whether a build's disk is full or ever was: a build may give back what it wrote before it ends. */
export function watchDisk(dir: string): () => Promise<boolean> {
  let full = false
  const look = async () => {
    full ||= await isDiskFull(dir)
    return full
  }
  // biome-ignore lint/style/noRestrictedGlobals: it runs alone in a container, where no clock is handed in
  setInterval(look, POLL_MS).unref()
  return look
}

/** The gateway's answer to `{"disk":true}`. */
export function diskAnswer(isFull: (() => Promise<boolean>) | undefined) {
  return async (request: Record<string, unknown>): Promise<string | undefined> => {
    if (request.disk !== true || isFull === undefined) return undefined
    return (await isFull()) ? 'full' : 'free'
  }
}
