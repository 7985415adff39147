import { Command as Commander, CommanderError, Option as Flag } from 'commander'
import { InputError } from '../base/errors.ts'
import type { LogLevel } from '../base/log.ts'
import type { Globals } from './cli.ts'
import type { Command, Option } from './command.ts'

export type Parsed = {
  readonly command: Command
  readonly input: Readonly<Record<string, unknown>>
  readonly globals: Globals
}

const LEVELS = ['silent', 'error', 'warn', 'info', 'debug', 'trace'] as const

/** What commands of two words have in common. */
const GROUPS: Readonly<Record<string, string>> = {
  hub: 'Examine code for others: keys, statements, several members that sign together',
  policy: 'Look at the policy, try another one, put it in force',
  runner: 'Begin a runner of your own',
  service: 'Begin a service',
  trust: 'Vouch for authors, and see whom this node believes',
}

/** Finds the command that a command line means. Throws a CommanderError; its exit code is 0 when help was asked for. */
export async function parseArgs(
  argv: readonly string[],
  init: { commands: readonly Command[]; version: string; help(text: string): void },
): Promise<Parsed> {
  let parsed: Parsed | undefined
  const program = new Commander('thundercloud')
    .description("Join a mesh of nodes that run one another's services, each under its own policy.")
    .version(init.version, '-V, --version', 'print the version')
    .option(
      '--dir <DIR>',
      "the operator's folder (default: $THUNDERCLOUD_DIR, a folder with node.json, ~/.thundercloud)",
    )
    .option('--api <URL>', "where a node's API is, instead of what the folder says")
    .option('--token-file <FILE>', 'the token for --api (default: api.token in the folder)')
    .addOption(new Flag('--log-level <LEVEL>', 'the least important line that is logged').choices(LEVELS))
    .option('--json', 'JSON on standard output: one document, or one object a line')
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 failed, 2 wrong usage or input, 3 nobody answers, 4 timed out, 130 Ctrl-C.',
    )
  const groups = new Map<string, Commander>()

  for (const command of init.commands) {
    const words = command.name.split(' ')
    const parent = words.length > 1 ? group(words[0] as string) : program
    const sub = parent.command(words.at(-1) as string).description(command.summary)
    if (command.details !== undefined) sub.addHelpText('after', `\n${command.details}`)
    for (const { label, describe, optional, many } of Object.values(command.args)) {
      const shown = many === true ? `${label}...` : label
      sub.argument(optional ? `[${shown}]` : `<${shown}>`, describe)
    }
    for (const [key, option] of Object.entries(command.options)) sub.addOption(flagOf(key, option))
    sub.action((...given: unknown[]) => {
      parsed = { command, input: inputOf(command, given, sub.opts()), globals: globalsOf(program.opts()) }
    })
  }

  function group(name: string): Commander {
    const known = groups.get(name)
    if (known !== undefined) return known
    const made = program.command(name).description(GROUPS[name] ?? `${name} commands`)
    groups.set(name, made)
    return made
  }

  for (const each of [program, ...groups.values(), ...everyCommand(program)]) {
    each.exitOverride()
    each.configureOutput({ writeOut: init.help, writeErr: init.help, outputError: () => {} })
    each.configureHelp({ showGlobalOptions: each !== program })
  }
  await program.parseAsync(plainHelp(argv, init.commands), { from: 'user' })
  if (parsed === undefined) throw new CommanderError(2, 'thundercloud.nothing', 'name a command')
  return parsed
}

/** `help policy replay` is `policy replay --help`: the parser's own help goes one word deep. */
function plainHelp(argv: readonly string[], commands: readonly Command[]): string[] {
  const [first, ...words] = argv
  const isCommand = commands.some(({ name }) => name === words.join(' '))
  return first === 'help' && isCommand ? [...words, '--help'] : [...argv]
}

function everyCommand(root: Commander): Commander[] {
  return root.commands.flatMap((child) => [child, ...everyCommand(child)])
}

function flagOf(key: string, { short, takes, describe, many }: Option<unknown>): Flag {
  const long = `--${kebab(key)}`
  const flag = new Flag(
    `${short === undefined ? '' : `${short}, `}${long}${takes === undefined ? '' : ` <${takes}>`}`,
    describe,
  )
  return many === true
    ? flag.argParser((text: string, before: string[] | undefined) => [...(before ?? []), text])
    : flag
}

function inputOf(command: Command, given: unknown[], options: Record<string, unknown>): Record<string, unknown> {
  const args = Object.entries(command.args).map(([key, argument], index) => [
    key,
    argument.read(given[index] as string | string[] | undefined),
  ])
  const flags = Object.entries(command.options).map(([key, option]) => [
    key,
    option.read(options[key] as true | string | string[] | undefined, `--${kebab(key)}`),
  ])
  return Object.fromEntries([...args, ...flags])
}

function globalsOf({ dir, api, tokenFile, logLevel }: Record<string, string | undefined>): Globals {
  for (const [flag, value] of Object.entries({ '--dir': dir, '--api': api, '--token-file': tokenFile })) {
    if (value === '') throw new InputError(`${flag} is empty`)
  }
  return { dir, api, tokenFile, logLevel: logLevel as LogLevel | undefined }
}

function kebab(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}
