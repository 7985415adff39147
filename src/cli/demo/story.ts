import { formatMs } from '../../base/text.ts'

/** What the demo tells: for programs an object, for people a line. */
export type Chapter = { readonly event: string } & Readonly<Record<string, unknown>>

export interface Story {
  tell(chapter: Chapter, line: string): void
  /** Only for people. */
  say(line: string): void
}

export function createStory(init: { json: boolean; write(text: string): void; elapsedMs(): number }): Story {
  const { json, write, elapsedMs } = init
  return {
    tell(chapter, line) {
      const ms = Math.round(elapsedMs())
      if (json) write(`${JSON.stringify({ ...chapter, ms })}\n`)
      else write(`${formatMs(ms).padStart(7)}  ${line}\n`)
    },
    say(line) {
      if (!json) write(`${line}\n`)
    },
  }
}

export function shortId(id: string): string {
  return `${id.slice(0, 6)}…${id.slice(-6)}`
}
