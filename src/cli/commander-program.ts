import { Command as Commander, Option as Flag } from 'commander'
import type { Argument, Command, Option } from './command.ts'

const LEVELS = ['silent', 'error', 'warn', 'info', 'debug', 'trace'] as const

/** What commands of two words have in common. */
const GROUPS: Readonly<Record<string, string>> = {
  block: 'Authors, codes and peers that this node has nothing to do with, beside its policy',
  hub: 'Examine code for others: keys, statements, several members that sign together',
  key: 'Your key, and the addresses of you and your node',
  policy: 'Look at the policy, try another one, put it in force',
  access: 'Let others use a service of yours',
  alert: 'What is wrong at the node, and who hears of it',
  context: 'Names for nodes, to ask one of several',
  pool: 'Containers in which services of one author run side by side',
  session: 'Browsers that are logged in to the dashboard',
  tunnel: 'Ways to services that the dashboard has opened on the machine of the node',
  token: 'Tokens of the API with a scope and an end',
  runner: 'Begin a runner of your own',
  service: 'Begin a service',
  code: 'See, check, copy and remove the code that the node keeps',
  sim: 'Simulate a mesh: scenarios in virtual time, reports, comparisons',
  trust: 'Vouch for authors, and see which signers this node trusts',
}

/** Help looks the same everywhere: it is written once, for terminals of this width. */
const HELP_COLUMNS = 100

export type Program = { readonly root: Commander; readonly groups: ReadonlyMap<string, Commander> }
type Called = (command: Command, given: unknown[], options: Record<string, unknown>, globals: Globals) => void
type Globals = Readonly<Record<string, string | undefined>>

/** The parser for these commands. `called` is what happens when a command line means one of them. */
export function buildProgram(
  commands: readonly Command[],
  init: { version: string; help(text: string): void; called: Called },
): Program {
  const root = new Commander('thundercloud')
    .description("Join a mesh of nodes that run one another's services, each under its own policy.")
    .version(init.version, '-V, --version', 'print the version')
    .option(
      '--dir <DIR>',
      "the operator's folder (default: $THUNDERCLOUD_DIR, a folder with node.json, ~/.thundercloud)",
    )
    .option('--api <URL>', "where a node's API is, instead of what the folder says")
    .option('--token-file <FILE>', 'the token for --api (default: api.token in the folder)')
    .option('--context <NAME>', 'the node that `context add` gave this name (default: the one of `context use`)')
    .addOption(new Flag('--log-level <LEVEL>', 'the least important line that is logged').choices(LEVELS))
    .option('--json', 'JSON on standard output: one document, or one object a line')
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 failed, 2 wrong usage or input, 3 no answer, 4 timed out, 130 Ctrl-C.',
    )
  const groups = new Map<string, Commander>()
  const all: Commander[] = [root]

  for (const command of commands) {
    const words = command.name.split(' ')
    const parent = words.length > 1 ? group(words[0] as string) : root
    const sub = parent.command(words.at(-1) as string).description(command.summary)
    all.push(sub)
    if (command.details !== undefined) sub.addHelpText('after', `\n${command.details}`)
    for (const each of Object.values(command.args)) sub.argument(placeOf(each), each.describe)
    for (const [key, option] of Object.entries(command.options)) sub.addOption(flagOf(key, option))
    sub.action((...given: unknown[]) => init.called(command, given, sub.opts(), root.opts()))
  }

  function group(name: string): Commander {
    const known = groups.get(name)
    if (known !== undefined) return known
    const made = root.command(name).description(GROUPS[name] ?? `${name} commands`)
    groups.set(name, made)
    all.push(made)
    return made
  }

  for (const each of all) {
    each.exitOverride()
    each.configureOutput({
      writeOut: init.help,
      writeErr: init.help,
      outputError: () => {},
      getOutHelpWidth: () => HELP_COLUMNS,
      getErrHelpWidth: () => HELP_COLUMNS,
    })
    each.configureHelp({ showGlobalOptions: each !== root })
  }
  return { root, groups }
}

/** "howLong" -> "--how-long" */
export function flagName(key: string): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

function placeOf({ label, optional, many }: Argument<unknown>): string {
  const shown = many === true ? `${label}...` : label
  return optional ? `[${shown}]` : `<${shown}>`
}

function flagOf(key: string, { short, takes, describe, many }: Option<unknown>): Flag {
  const flag = new Flag(
    `${short === undefined ? '' : `${short}, `}${flagName(key)}${takes === undefined ? '' : ` <${takes}>`}`,
    describe,
  )
  return many === true
    ? flag.argParser((text: string, before: string[] | undefined) => [...(before ?? []), text])
    : flag
}
