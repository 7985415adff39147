import { escapeUnseen, sanitizeText } from '../../base/format.ts'
import { createLog, type Log, type LogLevel } from '../../base/log.ts'
import type { Sink } from './sink.ts'
import { clockTime } from './text.ts'

/** Log lines on standard error: in the format of what else a command prints, which is JSON with --json and sentences without. */
export function createCliLog(init: { level: LogLevel; stderr: Sink; json: boolean }): Log {
  const { level, stderr, json } = init
  const format = (line: string) => formatLogLine(line, stderr.isTTY === true)
  return createLog({
    level,
    write: (line) => void stderr.write(json ? line : `${escapeUnseen(format(line))}\n`),
  })
}

const NAMES: Record<number, string> = { 10: 'trace', 20: 'debug', 30: 'info', 40: 'WARN', 50: 'ERROR' }

/** At a terminal it is today; a file is read later. */
export function lineTime(ms: number, terminal: boolean): string {
  return terminal ? clockTime(ms).slice(11) : clockTime(ms)
}

/** "21:04:11  WARN  network: the peer is gone (peer=12D3..., reason=timeout)". Field values may come from anywhere. */
export function formatLogLine(line: string, terminal: boolean): string {
  const { time, level, msg, part, ...fields } = JSON.parse(line) as Record<string, unknown>
  const shown = Object.entries(fields).map(([key, value]) => {
    return `${sanitizeText(key, 40)}=${sanitizeText(typeof value === 'string' ? value : JSON.stringify(value), 200)}`
  })
  const where = part === undefined ? '' : `${sanitizeText(String(part), 40)}: `
  const rest = shown.length === 0 ? '' : ` (${shown.join(', ')})`
  return `${lineTime(Date.parse(String(time)), terminal)}  ${(NAMES[Number(level)] ?? '').padEnd(5)} ${where}${sanitizeText(String(msg), 400)}${rest}`
}
