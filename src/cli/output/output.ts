import type { Clock } from '../../base/clock.ts'
import { escapeUnseen, sanitizeText } from '../../base/format.ts'
import { createProgress, type Progress } from './progress.ts'
import type { Sink } from './sink.ts'
import { textWidth } from './text-width.ts'

/** Of a terminal that does not say. */
const [COLUMNS, ROWS] = [80, 24]

/** Where a command's output goes. With --json, standard output carries JSON and nothing else. */
export interface Output {
  readonly json: boolean
  /** ids are shortened and lines may be long only where a person reads them */
  readonly terminal: boolean
  /** The command's answer: one JSON document, or these lines. */
  result(value: unknown, lines: () => readonly string[]): void
  /** One of several answers: a JSON object on a line of its own, or this line. */
  item(value: object, line: () => string): void
  /** One of several looks at the same: in the place of the one before at a terminal, one JSON object a line, or below it. */
  frame(value: object, lines: () => readonly string[]): void
  /** For the person beside the answer: on standard error, and nowhere with --json. */
  note(line: string): void
  /** `plain`: what takes long and begins seldom is also said where no line can be redrawn. */
  progress(label: string, options?: { plain?: boolean }): Progress
  error(message: string): void
}

export function createOutput(init: { stdout: Sink; stderr: Sink; json: boolean; clock: Clock }): Output {
  const { stdout, stderr, json, clock } = init
  const terminal = stdout.isTTY === true && !json
  const quiet = json || stderr.isTTY !== true
  // the one way out: whatever a command says, no character of it is the terminal's to obey
  const write = (sink: Sink, text: string) => void sink.write(escapeUnseen(text))
  let progress: Progress | undefined
  let drawn = 0
  const beside = (act: () => void) => {
    // a line that is being redrawn must not be mixed with another
    progress?.hide()
    act()
    progress?.show()
  }
  return {
    json,
    terminal,
    result(value, lines) {
      if (json) write(stdout, `${JSON.stringify(value)}\n`)
      else
        beside(() =>
          write(
            stdout,
            lines()
              .map((line) => `${line}\n`)
              .join(''),
          ),
        )
    },
    item(value, line) {
      if (json) write(stdout, `${JSON.stringify(value)}\n`)
      else beside(() => write(stdout, `${line()}\n`))
    },
    frame(value, lines) {
      if (json) return write(stdout, `${JSON.stringify(value)}\n`)
      // what does not fit would scroll, and could not be drawn over
      const fitting = terminal ? lines().slice(0, (stdout.rows ?? ROWS) - 1) : lines()
      const width = terminal ? (stdout.columns ?? COLUMNS) - 1 : Number.POSITIVE_INFINITY
      if (terminal && drawn > 0) stdout.write(`\u001b[${drawn}A\u001b[J`)
      write(stdout, fitting.map((line) => `${line.slice(0, width)}\n`).join(''))
      drawn = fitting.length
    },
    note(line) {
      if (!json) beside(() => write(stderr, `${line}\n`))
    },
    progress(label, { plain = false } = {}) {
      if (plain && quiet && !json) write(stderr, `${label}\n`)
      progress = createProgress({ clock, sink: stderr, quiet, label })
      return progress
    },
    error(message) {
      beside(() => write(stderr, json ? `${JSON.stringify({ error: message })}\n` : `${message}\n`))
    },
  }
}

/** Columns as wide as their widest cell on a terminal; the last one is not padded. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [head, ...rows].map((row) => row.map((cell) => sanitizeText(cell, 400)))
  const widths = head.map((_, column) => Math.max(...all.map((row) => textWidth(row[column] ?? ''))))
  return all.map((row) =>
    row
      .map((cell, column) => cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - textWidth(cell))))
      .join('  ')
      .trimEnd(),
  )
}

/** "key: value" lines, the values below one another. */
export function fields(entries: readonly (readonly [string, string | undefined])[]): string[] {
  const given = entries.filter((entry): entry is [string, string] => entry[1] !== undefined)
  const width = Math.max(...given.map(([key]) => key.length)) + 2
  return given.map(([key, value]) => `${`${key}:`.padEnd(width)}${value}`)
}
