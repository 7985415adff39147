import { format } from 'node:util'
import type { ComponentLogger, Logger } from '@libp2p/interface'
import { sanitizeText } from '../../base/format.ts'
import type { Log } from '../../base/log.ts'

/**
 * libp2p's log lines in ours. They are many and speak of single frames, so they are made only on demand; what the
 * operator must know, the network's own events say.
 */
export function libp2pLogger(log: Log, verbose: boolean): ComponentLogger {
  if (!verbose) return { forComponent: () => SILENT }
  return { forComponent: (component) => scoped(log, component) }
}

function scoped(log: Log, component: string): Logger {
  const write =
    (level: 'debug' | 'trace') =>
    (template: unknown, ...values: unknown[]) =>
      log[level]('libp2p', { component, line: lineOf(template, values) })
  return Object.assign(write('trace'), {
    error: write('debug'),
    trace: write('trace'),
    enabled: true,
    newScope: (name: string) => scoped(log, `${component}:${name}`),
  })
}

const SILENT: Logger = Object.assign(() => {}, {
  error: () => {},
  trace: () => {},
  enabled: false,
  newScope: () => SILENT,
})

/** libp2p's own placeholders (%p peer, %a address, %c CID, %e error, ...) take values that have a text form. */
function lineOf(template: unknown, values: readonly unknown[]): string {
  const own = String(template).replace(/%[a-zA-Z]/g, (mark) => (/%[sdifjo]/.test(mark) ? mark : '%s'))
  const plain = values.map((value) => (typeof value === 'object' && value !== null ? String(value) : value))
  return sanitizeText(format(own, ...plain), 500)
}
