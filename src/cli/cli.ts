import type { Command as Commander } from 'commander'
import type { Clock } from '../base/clock.ts'
import type { Log, LogLevel } from '../base/log.ts'
import type { Rng } from '../base/rng.ts'
import type { Env } from '../config/index.ts'
import type { createLightPeer, createNode } from '../node/index.ts'
import type { Output } from './output/output.ts'

/** What every command takes. */
export type Globals = {
  /** the operator's folder, as given */
  readonly dir?: string | undefined
  /** where the node's API is, instead of what the folder says */
  readonly api?: string | undefined
  readonly tokenFile?: string | undefined
  /** the name of a context, which stands for the three */
  readonly context?: string | undefined
  readonly logLevel?: LogLevel | undefined
}

/** How nodes are made. Loaded when needed: `thundercloud list` must not wait for a network stack. */
export type Factories = {
  node: typeof createNode
  lightPeer: typeof createLightPeer
}

/** What a handler works with: the outside of the program, and nothing else reaches it. */
export interface Cli {
  readonly out: Output
  readonly globals: Globals
  readonly env: Env
  readonly cwd: string
  readonly clock: Clock
  readonly rng: Rng
  /** Aborts when the program shall end. */
  readonly signal: AbortSignal
  readonly factories: Factories
  /** the command line as it was given */
  readonly argv: readonly string[]
  /** how this program is started again: node's options and the entry file */
  readonly self: readonly string[]
  readonly version: string
  /** Every command, as the parser knows it. */
  loadProgram(): Promise<Commander>
  /** A log on standard error, at the level of --log-level, else at this one. */
  log(fallback: LogLevel): Log
  /** Asks the user for what nobody may read over a shoulder; undefined without a terminal. */
  askSecret(question: string): Promise<string | undefined>
  /** Asks the user; undefined without a terminal. Everything but yes is no. */
  confirm(question: string): Promise<boolean | undefined>
  /** Calls back with each key that the user types, also with Ctrl-C, until disposed; never without a terminal, or with --json. */
  onKey(listener: (key: string) => void): Disposable
  /** Calls back on SIGHUP. */
  onReload(listener: () => void): Disposable
}
