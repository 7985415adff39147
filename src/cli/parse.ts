import { CommanderError } from 'commander'
import { InputError } from '../base/errors.ts'
import { closestMatch, sanitizeText } from '../base/format.ts'
import type { LogLevel } from '../base/log.ts'
import type { Globals } from './cli.ts'
import type { Command, CommandEntry } from './command.ts'
import { buildProgram, flagName } from './commander-program.ts'

export type Parsed = {
  readonly command: Command
  readonly input: Readonly<Record<string, unknown>>
  readonly globals: Globals
}

export type ParseInit = {
  readonly commands: readonly CommandEntry[]
  readonly version: string
  help(text: string): void
}

/** Options of every command that take a value. */
const TAKING = ['--dir', '--api', '--token-file', '--context', '--log-level']

/**
 * Finds the command that a command line means, and loads it alone. Throws an InputError, or a CommanderError; that one's
 * exit code is 0 when help was asked for.
 */
export async function parseArgs(argv: readonly string[], init: ParseInit): Promise<Parsed> {
  const { commands, version, help } = init
  const line = plainHelp(argv)
  const words = wordsOf(line)
  const entry = commands.find(({ name }) => name === words[0] || name === words.slice(0, 2).join(' '))
  // help of what they have in common is short of nothing: it is the only thing that needs them all
  const needed = entry === undefined ? withoutCommand(words, commands) : [entry]
  const at = line.indexOf('--')
  const dashed = at < 0 ? 0 : line.length - at - 1
  let parsed: Parsed | undefined
  const { root } = buildProgram(await Promise.all(needed.map((each) => each.load())), {
    version,
    help,
    called(command, given, options, globals) {
      parsed = {
        command,
        input: inputOf(command, placed(command, given, dashed), options),
        globals: globalsOf(globals),
      }
    },
  })
  await root.parseAsync(line, { from: 'user' })
  if (parsed === undefined) throw new CommanderError(2, 'thundercloud.nothing', 'name a command')
  return parsed
}

/** What to load if no command is named. Throws if the argument was meant to name one. */
function withoutCommand(words: readonly string[], commands: readonly CommandEntry[]): readonly CommandEntry[] {
  const [first, second] = words
  if (first === undefined) return commands
  const inGroup = commands.filter(({ name }) => name.startsWith(`${first} `))
  if (inGroup.length > 0 && second === undefined) return inGroup
  const given = inGroup.length > 0 ? `${first} ${second}` : first
  const meant = closestMatch(
    given,
    (inGroup.length > 0 ? inGroup : commands).map(({ name }) => name),
  )
  const guess = meant === undefined ? '' : `did you mean ${meant}? `
  throw new InputError(
    `unknown command '${sanitizeText(given, 60)}'; ${guess}\`thundercloud help${inGroup.length > 0 ? ` ${first}` : ''}\` lists all`,
  )
}

/** `help policy replay` is `policy replay --help`: the parser's own help handles one word only. */
function plainHelp(argv: readonly string[]): string[] {
  const [first, ...words] = argv
  return first === 'help' ? [...words, '--help'] : [...argv]
}

/** The words before the first option of a command's own. */
function wordsOf(argv: readonly string[]): string[] {
  const words: string[] = []
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] as string
    if (TAKING.includes(word)) at++
    else if (!word.startsWith('-')) words.push(word)
  }
  return words
}

/** The values of the arguments by their places. Those after `--` are for the argument that takes them. */
function placed({ args }: Command, given: unknown[], dashed: number): unknown[] {
  const all = Object.values(args)
  if (all.at(-1)?.afterDashes !== true) return given
  const words = given
    .slice(0, all.length)
    .flat()
    .filter((word) => word !== undefined)
  const [before, after] = [words.slice(0, words.length - dashed), words.slice(words.length - dashed)]
  const extra = before[all.length - 1]
  if (extra === undefined) return [...all.slice(1).map((_, index) => before[index]), after]
  throw new InputError(
    `${JSON.stringify(extra)} is one argument too many; what goes to another program stands after --`,
  )
}

function inputOf(command: Command, given: unknown[], options: Record<string, unknown>): Record<string, unknown> {
  const args = Object.entries(command.args).map(([key, argument], index) => [
    key,
    argument.read(given[index] as string | string[] | undefined),
  ])
  const flags = Object.entries(command.options).map(([key, option]) => [
    key,
    option.read(options[key] as true | string | string[] | undefined, flagName(key)),
  ])
  return Object.fromEntries([...args, ...flags])
}

function globalsOf({ dir, api, tokenFile, context, logLevel }: Readonly<Record<string, string | undefined>>): Globals {
  for (const [flag, value] of Object.entries({
    '--dir': dir,
    '--api': api,
    '--token-file': tokenFile,
    '--context': context,
  })) {
    if (value === '') throw new InputError(`${flag} is empty`)
  }
  return { dir, api, tokenFile, context, logLevel: logLevel as LogLevel | undefined }
}
