import type { Command } from './command.ts'
import { buildProgram } from './commander-program.ts'

/** The help of the program (under ""), of each group and of each command, by name: as the parser would show it. */
export function helpTexts(commands: readonly Command[]): Record<string, string> {
  let shown = ''
  const { root, groups } = buildProgram(commands, {
    version: '',
    help(text) {
      shown += text
    },
    called() {},
  })
  const names = ['', ...groups.keys(), ...commands.map(({ name }) => name)]
  return Object.fromEntries(
    names.map((name) => {
      const words = name === '' ? [] : name.split(' ')
      const found = words.reduce((each, word) => each.commands.find((sub) => sub.name() === word) ?? each, root)
      shown = ''
      found.outputHelp()
      return [name, shown]
    }),
  )
}
