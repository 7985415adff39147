import { AsyncLocalStorage } from 'node:async_hooks'
import type { RunnerLog } from '../contract.ts'

/** The globals of the first form of runners: RUNNER_CONFIGS and LOG. */
export interface LegacyGlobals {
  /** Calls `decide` with RUNNER_CONFIGS as this node's configuration, also after an await. */
  within<T>(config: unknown, decide: () => T): T
}

export function provideLegacyGlobals(config: unknown, log: RunnerLog): LegacyGlobals {
  const current = new AsyncLocalStorage<unknown>()
  Object.defineProperty(globalThis, 'RUNNER_CONFIGS', { get: () => current.getStore() ?? config, enumerable: true })
  Object.defineProperty(globalThis, 'LOG', {
    value: (data: unknown, _colour?: string) => {
      const text = typeof data === 'object' && data !== null && 'data' in data ? data.data : data
      log.info('the runner says', { text: withoutColours(String(text)) })
    },
    enumerable: true,
  })
  return { within: (own, decide) => current.run(own, decide) }
}

function withoutColours(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape that begins a colour
  return text.replace(/\u001b\[[0-9;]*m/g, '')
}
