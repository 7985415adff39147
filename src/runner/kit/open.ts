import { readFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../../base/clock.ts'
import { errnoOf, InputError } from '../../base/errors.ts'
import { createEvents } from '../../base/events.ts'
import { createLog, silentLog } from '../../base/log.ts'
import type { Verdict } from '../../base/verdict.ts'
import { loadPolicy } from '../../config/files/policy.ts'
import type { RunnerConfig } from '../../config/index.ts'
import type { ReceivedService, RunnerSnapshot } from '../contract.ts'
import type { RunnerEvents } from '../events.ts'
import { createRunnerHost } from '../host.ts'
import type { RunnerHostInit, RunnerHostStats } from '../types.ts'
import { configOf, exampleService, exampleSnapshot, type ServiceOverrides, type SnapshotOverrides } from './examples.ts'
import { holdOpen } from './hold-open.ts'

export type RunnerOptions = {
  /** settings as config.json has them; default: the config.json beside the runner, and without one every default */
  readonly config?: object | undefined
  /** may it use the network, as with "RUNNER_NETWORK": true in services.json; default false */
  readonly network?: boolean | undefined
  /** as a node has them: 2000 ms for a decision, 10,000 ms to load, 128 MiB of heap, 256 MiB resident */
  readonly limits?: RunnerHostInit['limits']
  /** receives each line that the runner logs or prints, as JSON */
  readonly onLog?: ((line: string) => void) | undefined
}

/** A runner in a process of its own, exactly as a node has it. */
export interface OpenRunner extends AsyncDisposable {
  readonly config: RunnerConfig
  /**
   * What the runner answers. The service and the snapshot may be whole, or only what shall differ from the examples;
   * without a `config` of its own, a snapshot has the runner's. Rejects with a RunnerError where the runner throws, is
   * late, dies, answers nonsense, or gives more than there is.
   */
  decide(
    service?: ServiceOverrides,
    snapshot?: SnapshotOverrides,
    options?: { signal?: AbortSignal | undefined },
  ): Promise<Verdict>
  /** As `decide`, with a service and a snapshot that are whole already. */
  ask(
    service: ReceivedService,
    snapshot: RunnerSnapshot,
    options?: { signal?: AbortSignal | undefined },
  ): Promise<Verdict>
  stats(): RunnerHostStats
  /** Ends the process. */
  close(): Promise<void>
}

/**
 * Loads a runner as a node does: in a child process without network, and with no files but its own folder. `runner` is
 * a file URL (`new URL('./runner.js', import.meta.url)`) or a path. Rejects with a sentence when it cannot be loaded.
 */
export async function openRunner(runner: URL | string, options: RunnerOptions = {}): Promise<OpenRunner> {
  const entry = entryOf(runner)
  const config = await settingsOf(entry, options.config)
  const { onLog } = options
  const log = onLog === undefined ? silentLog() : createLog({ level: 'trace', write: onLog })
  const host = createRunnerHost(
    { clock: systemClock(), log, events: createEvents<RunnerEvents>() },
    { entry, dir: dirname(entry), config, network: options.network === true, limits: options.limits },
  )
  const keepAlive = holdOpen()
  const close = async () => {
    await host[Symbol.asyncDispose]()
    keepAlive[Symbol.dispose]()
  }
  try {
    await host.start()
  } catch (error) {
    await close()
    throw error
  }
  return {
    config,
    decide: async (service = {}, snapshot = {}, decideOptions) => {
      const own = snapshot.config === undefined ? { config } : {}
      return host.decide(exampleService(service), { ...exampleSnapshot(snapshot), ...own }, decideOptions)
    },
    ask: (service, snapshot, askOptions) => host.decide(service, snapshot, askOptions),
    stats: () => host.stats(),
    close,
    [Symbol.asyncDispose]: close,
  }
}

export function entryOf(runner: URL | string): string {
  if (typeof runner === 'string' && !runner.startsWith('file:')) return resolve(runner)
  const url = new URL(runner)
  if (url.protocol !== 'file:') throw new InputError(`the runner is ${url.protocol}//...; it must be a file`)
  return fileURLToPath(url)
}

async function settingsOf(entry: string, config: object | undefined): Promise<RunnerConfig> {
  if (config !== undefined) return configOf(config)
  const path = join(dirname(entry), 'config.json')
  const there = await readFile(path).then(
    () => true,
    (error: unknown) => errnoOf(error) !== 'ENOENT' && errnoOf(error) !== 'ENOTDIR',
  )
  if (!there) return configOf({})
  return (await loadPolicy(path, { file: `${basename(dirname(entry))}/config.json` })).policy.config
}
