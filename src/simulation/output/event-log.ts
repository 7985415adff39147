import { closeSync, openSync, writeSync } from 'node:fs'
import { zstdCompressSync } from 'node:zlib'
import type { SimEvent } from '../events.ts'

export const EVENT_MODES = ['all', 'sampled', 'none'] as const
export type EventMode = (typeof EVENT_MODES)[number]

/** Before compression. What comes after it is counted, and not written. */
export const MAX_EVENT_BYTES = 1024 * 1024 * 1024
/** Of text in one frame: what a kill loses at most. */
const FRAME_BYTES = 1024 * 1024
/** `sampled`: a hundredth of the nodes, at least so many. */
const MIN_SAMPLED_NODES = 100

/** Events as lines of JSON in a file of zstd frames, which is whole after every frame. */
export interface EventLog extends Disposable {
  write(event: SimEvent): void
  readonly written: number
  readonly leftOut: number
}

export function createEventLog(
  path: string,
  { mode, nodes, maxBytes = MAX_EVENT_BYTES }: { mode: 'all' | 'sampled'; nodes: number; maxBytes?: number },
): EventLog {
  const every = mode === 'all' ? 1 : Math.max(1, Math.floor(nodes / Math.max(MIN_SAMPLED_NODES, nodes / 100)))
  const file = openSync(path, 'w')
  let lines: string[] = []
  let pending = 0
  let total = 0
  let written = 0
  let leftOut = 0
  const flush = () => {
    if (lines.length === 0) return
    const frame = zstdCompressSync(lines.join(''))
    for (let at = 0; at < frame.byteLength; ) at += writeSync(file, frame, at)
    lines = []
    pending = 0
  }
  return {
    write(event) {
      if (event.node % every !== 0) return
      const line = `${JSON.stringify(event)}\n`
      const bytes = Buffer.byteLength(line)
      if (total + bytes > maxBytes) {
        leftOut++
        return
      }
      total += bytes
      pending += bytes
      written++
      lines.push(line)
      if (pending >= FRAME_BYTES) flush()
    },
    get written() {
      return written
    },
    get leftOut() {
      return leftOut
    },
    [Symbol.dispose]() {
      flush()
      closeSync(file)
    },
  }
}
