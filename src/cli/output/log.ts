import { escapeUnseen, sanitizeText } from '../../base/format.ts'
import { createLog, type Log, type LogLevel } from '../../base/log.ts'
import type { Sink } from './sink.ts'

/** Log lines on standard error: readable at a terminal, JSON for everything that reads them by itself. */
export function createCliLog(init: { level: LogLevel; stderr: Sink; json: boolean }): Log {
  const { level, stderr, json } = init
  const plain = json || stderr.isTTY !== true
  return createLog({
    level,
    write: (line) => void stderr.write(plain ? line : `${escapeUnseen(formatLogLine(line))}\n`),
  })
}

const NAMES: Record<number, string> = { 10: 'trace', 20: 'debug', 30: 'info', 40: 'WARN', 50: 'ERROR' }

/** "21:04:11 WARN  network: the peer is gone (peer=12D3..., reason=timeout)". Field values may come from anywhere. */
export function formatLogLine(line: string): string {
  const { time, level, msg, part, ...fields } = JSON.parse(line) as Record<string, unknown>
  const shown = Object.entries(fields).map(([key, value]) => {
    return `${sanitizeText(key, 40)}=${sanitizeText(typeof value === 'string' ? value : JSON.stringify(value), 200)}`
  })
  const where = part === undefined ? '' : `${sanitizeText(String(part), 40)}: `
  const rest = shown.length === 0 ? '' : ` (${shown.join(', ')})`
  return `${String(time).slice(11, 19)} ${(NAMES[Number(level)] ?? '').padEnd(5)} ${where}${sanitizeText(String(msg), 400)}${rest}`
}
