import type { Clock } from '../../base/clock.ts'
import { formatMs } from '../../base/format.ts'
import type { Output } from '../output/output.ts'

/** What the demo reports: for programs an object, for people a line. */
export type DemoEvent = { readonly event: string } & Readonly<Record<string, unknown>>

export interface DemoReporter {
  report(event: DemoEvent, line: string): void
  /** Only for people. */
  note(line: string): void
}

/** Every chapter bears the time since the story began. */
export function createReporter({ clock, out }: { clock: Clock; out: Output }): DemoReporter {
  const begun = clock.monotonic()
  return {
    report(event, line) {
      const ms = Math.round(clock.monotonic() - begun)
      out.item({ ...event, ms }, () => `${formatMs(ms).padStart(7)}  ${line}`)
    },
    note(line) {
      if (!out.json) out.item({}, () => line)
    },
  }
}

export function shortId(id: string): string {
  return `${id.slice(0, 6)}…${id.slice(-6)}`
}
