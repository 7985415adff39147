import type { Clock } from '../../base/clock.ts'
import { formatMs } from '../../base/format.ts'
import type { Output } from '../output/output.ts'

/** What the demo tells: for programs an object, for people a line. */
export type Chapter = { readonly event: string } & Readonly<Record<string, unknown>>

export interface Story {
  tell(chapter: Chapter, line: string): void
  /** Only for people. */
  say(line: string): void
}

/** Every chapter bears the time since the story began. */
export function createStory({ clock, out }: { clock: Clock; out: Output }): Story {
  const begun = clock.monotonic()
  return {
    tell(chapter, line) {
      const ms = Math.round(clock.monotonic() - begun)
      out.item({ ...chapter, ms }, () => `${formatMs(ms).padStart(7)}  ${line}`)
    },
    say(line) {
      if (!out.json) out.item({}, () => line)
    },
  }
}

export function shortId(id: string): string {
  return `${id.slice(0, 6)}…${id.slice(-6)}`
}
