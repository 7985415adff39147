import type { Cli } from '../cli.ts'

/** A command to type, as this one was typed: for the same folder or node. In backticks, for a sentence. */
export function commandText(cli: Pick<Cli, 'globals'>, words: readonly string[]): string {
  return `\`${commandLine(cli, words)}\``
}

/** The same alone. */
export function commandLine({ globals }: Pick<Cli, 'globals'>, words: readonly string[]): string {
  const { dir, api, tokenFile } = globals
  const options = { '--dir': dir, '--api': api, '--token-file': tokenFile }
  const given = Object.entries(options).flatMap(([name, value]) => (value === undefined ? [] : [name, value]))
  // what follows -- is no option of this program
  const end = words.includes('--') ? words.indexOf('--') : words.length
  return shellText(['thundercloud', ...words.slice(0, end), ...given, ...words.slice(end)])
}

export function shellText(words: readonly string[]): string {
  return words.map(shellWord).join(' ')
}

function shellWord(word: string): string {
  return /^[\w@%+=:,./~-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}
