import { InputError } from '../base/errors.ts'
import { parseSeconds } from '../base/format.ts'
import type { Cli } from './cli.ts'

/** A command is data plus a handler. Nothing here knows how command lines are parsed. */
export interface Command {
  /** how it is called: "publish", "service new" */
  readonly name: string
  readonly summary: string
  /** more lines for its help */
  readonly details?: string | undefined
  readonly args: Readonly<Record<string, Argument<unknown>>>
  readonly options: Readonly<Record<string, Option<unknown>>>
  /** SIGHUP has it read its settings again; every other command ends by it */
  readonly reloads?: boolean | undefined
  run(cli: Cli, input: Readonly<Record<string, unknown>>): Promise<void>
}

/** A command by name, read when it is called. */
export type CommandEntry = { readonly name: string; load(): Promise<Command> }

/** An argument by its position. */
export interface Argument<T> {
  readonly label: string
  readonly describe: string
  readonly optional: boolean
  /** takes all remaining arguments; at least one, where it is not optional */
  readonly many?: boolean | undefined
  /** takes what follows `--`, and nothing before it; the last of its command */
  readonly afterDashes?: boolean | undefined
  /** carries the type of what the handler gets */
  readonly read: (given: string | string[] | undefined) => T
}

/** An argument by its name. */
export interface Option<T> {
  readonly describe: string
  readonly short?: string | undefined
  /** what it takes, as help calls it; none = a switch */
  readonly takes?: string | undefined
  readonly many?: boolean | undefined
  /** `given`: true for a switch, a text, or all texts of one that may be repeated; undefined = not there */
  readonly read: (given: true | string | string[] | undefined, flag: string) => T
}

type Input<A, O> = { readonly [K in keyof A]: A[K] extends Argument<infer T> ? T : never } & {
  readonly [K in keyof O]: O[K] extends Option<infer T> ? T : never
}

/** Ties the handler's input to what was declared. */
export function command<
  const A extends Readonly<Record<string, Argument<unknown>>>,
  const O extends Readonly<Record<string, Option<unknown>>>,
>(spec: {
  name: string
  summary: string
  details?: string
  args: A
  options: O
  reloads?: boolean
  run(cli: Cli, input: Input<A, O>): Promise<void>
}): Command {
  return { ...spec, run: (cli, input) => spec.run(cli, input as Input<A, O>) }
}

export function argument(label: string, describe: string): Argument<string> {
  return { label, describe, optional: false, read: (given) => given as string }
}

export function optionalArgument(label: string, describe: string): Argument<string | undefined> {
  return { label, describe, optional: true, read: (given) => given as string | undefined }
}

export function manyArguments(label: string, describe: string): Argument<readonly string[]> {
  return { label, describe, optional: false, many: true, read: (given) => given as string[] }
}

/** Takes all remaining arguments, also none. */
export function optionalArguments(label: string, describe: string): Argument<readonly string[]> {
  return { label, describe, optional: true, many: true, read: (given) => (given as string[] | undefined) ?? [] }
}

/** Takes what follows `--`, for another program. */
export function passedArguments(label: string, describe: string): Argument<readonly string[]> {
  return { ...optionalArguments(label, describe), afterDashes: true }
}

export function flag(describe: string, short?: string): Option<boolean> {
  return { describe, short, read: (given) => given === true }
}

export function text(takes: string, describe: string): Option<string | undefined> {
  return { takes, describe, read: (given) => given as string | undefined }
}

/** One that has no default. */
export function required(takes: string, describe: string): Option<string> {
  return {
    takes,
    describe,
    read(given, name) {
      if (typeof given === 'string') return given
      throw new InputError(`${name} is missing; add ${name} ${takes}: ${describe}`)
    },
  }
}

/** The same option, refused where it is given twice: the last one would count, and nothing would say so. */
export function once<T>(option: Option<T>, why: string): Option<T> {
  return {
    ...option,
    many: true,
    read(given, name) {
      if (Array.isArray(given) && given.length > 1)
        throw new InputError(`${name} is given ${given.length} times; ${why}`)
      return option.read(Array.isArray(given) ? given[0] : given, name)
    },
  }
}

export function texts(takes: string, describe: string): Option<readonly string[]> {
  return { takes, describe, many: true, read: (given) => (given as string[] | undefined) ?? [] }
}

export function whole<const F extends number | undefined>(
  takes: string,
  describe: string,
  { min, max, fallback }: { min: number; max: number; fallback: F },
): Option<number | F> {
  return {
    takes,
    describe: fallback === undefined ? describe : `${describe} (default: ${fallback})`,
    read(given, name) {
      if (given === undefined) return fallback
      const value = Number(given)
      if (/^\d{1,15}$/.test(String(given)) && value >= min && value <= max) return value
      throw new InputError(`${name} is ${JSON.stringify(given)}; allowed is a whole number from ${min} to ${max}`)
    },
  }
}

/** A time like "90s" or "5m"; the handler gets seconds. */
export function duration(describe: string, fallback: string): Option<number> {
  return {
    takes: 'TIME',
    describe: `${describe} (default: ${fallback})`,
    read: (given, name) => secondsOf(given ?? fallback, name),
  }
}

/** The same without a default. */
export function optionalDuration(describe: string): Option<number | undefined> {
  return {
    takes: 'TIME',
    describe,
    read: (given, name) => (given === undefined ? undefined : secondsOf(given, name)),
  }
}

/** A time, or "none": the handler gets null. */
export function durationOrNone(describe: string): Option<number | null | undefined> {
  return {
    takes: 'TIME',
    describe,
    read(given, name) {
      if (given === undefined) return undefined
      return given === 'none' ? null : secondsOf(given, name, 'a time like "90s", "5m" or "2h", or "none"')
    },
  }
}

const MAX_SECONDS = 30 * 86_400

function secondsOf(given: true | string | string[], name: string, allowed = 'a time like "90s", "5m" or "2h"'): number {
  const seconds = parseSeconds(String(given))
  if (seconds !== undefined && seconds > 0 && seconds <= MAX_SECONDS) return seconds
  throw new InputError(`${name} is ${JSON.stringify(given)}; allowed is ${allowed}`)
}
