import type { Clock } from '../../base/clock.ts'
import { escapeUnseen, formatBytes, formatCount } from '../../base/format.ts'
import type { Sink } from './sink.ts'

/** A line that is redrawn at a terminal, and nowhere else. Dispose it when done. */
export interface Progress extends Disposable {
  /** What is going on now. */
  update(text: string): void
  /** How much of how much. */
  bytes(done: number, total: number | undefined): void
  /** How many of how many. */
  count(done: number, total: number): void
  hide(): void
  show(): void
}

const FRAMES = ['|', '/', '-', '\\']
const FRAME_MS = 120
const BAR_WIDTH = 24

export function createProgress(init: { clock: Clock; sink: Sink; quiet: boolean; label: string }): Progress {
  const { clock, sink, quiet, label } = init
  let text = ''
  let frame = 0
  let over = quiet
  const clear = () => sink.write('\r\u001b[2K')
  const draw = () => {
    const line = escapeUnseen(`${FRAMES[frame % FRAMES.length]} ${label}${text === '' ? '' : `: ${text}`}`)
    sink.write(`\r\u001b[2K${line.slice(0, (sink.columns ?? 80) - 1)}`)
  }
  const timer = clock.every(FRAME_MS, () => {
    frame++
    if (!over) draw()
  })
  if (quiet) timer.cancel()
  else draw()
  return {
    update(now) {
      text = now
    },
    bytes(done, total) {
      text =
        total === undefined ? formatBytes(done) : `${bar(done / total)} ${formatBytes(done)} of ${formatBytes(total)}`
    },
    count(done, total) {
      text = `${bar(total === 0 ? 1 : done / total)} ${formatCount(done)} of ${formatCount(total)}`
    },
    hide() {
      if (!over) clear()
    },
    show() {
      if (!over) draw()
    },
    [Symbol.dispose]() {
      timer.cancel()
      if (!over) clear()
      over = true
    },
  }
}

function bar(share: number): string {
  const full = Math.round(Math.min(1, share) * BAR_WIDTH)
  return `[${'#'.repeat(full)}${'.'.repeat(BAR_WIDTH - full)}]`
}
