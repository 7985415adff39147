import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { ROOT } from '../../build.ts'
import { commandsOf, DOCUMENTS, inlineCommandsOf, shellBlocks } from '../../e2e/documents/blocks.ts'
import { SCENARIOS } from '../../e2e/documents/scenarios.ts'

const read = (file: string) => JSON.parse(readFileSync(join(ROOT, file), 'utf8'))
const help: Readonly<Record<string, string>> = read('configs/help.json')
const { scripts }: { scripts: Readonly<Record<string, string>> } = read('package.json')
/** npm's own commands. */
const OF_NPM = ['install', 'pack', 'sbom']
const OF_THE_SHELL = ['kill', 'docker']

/** What is wrong with a command, as far as one can see without running it; undefined where nothing is. */
function wrong(command: string): string | undefined {
  // what follows -- is for the program of a package
  const [program = '', ...words] = command.split(/\s--\s/, 1)[0]?.split(/\s+/) ?? []
  if (program === 'npm') {
    const [first = '', second = ''] = words
    const script = first === 'run' ? second : first
    return Object.hasOwn(scripts, script) || OF_NPM.includes(first) ? undefined : `no script "${script}"`
  }
  if (program !== 'thundercloud') {
    return OF_THE_SHELL.includes(program) || existsSync(join(ROOT, program)) ? undefined : `no program "${program}"`
  }
  if (words[0] === 'help') return Object.hasOwn(help, words.slice(1).join(' ')) ? undefined : 'no such help'
  const name = [2, 1].map((length) => words.slice(0, length).join(' ')).find((words) => Object.hasOwn(help, words))
  if (name === undefined) return 'no such command'
  const known = new Set(help[name]?.match(/(?<=^|\s)--?[a-z][\w-]*/gm))
  const unknown = words.filter((word) => /^--?[a-z]/.test(word) && !known.has(word))
  return unknown.length === 0 ? undefined : `"${name}" has no ${unknown.join(', ')}`
}

const problems = (commands: readonly string[]) =>
  commands.flatMap((command) => {
    const problem = wrong(command)
    return problem === undefined ? [] : [`${command}: ${problem}`]
  })

it.each(DOCUMENTS)('%s names commands, options and scripts that exist', (document) => {
  expect(problems(inlineCommandsOf(document))).toEqual([])
})

it.each(DOCUMENTS)('%s: each command in a block is run by a scenario, or the block says why not', (document) => {
  const run = shellBlocks(document).filter(({ notRun }) => notRun === undefined)
  const steps = SCENARIOS.find((scenario) => scenario.document === document)?.steps ?? {}
  // a change of folder needs no step
  expect(run.flatMap(commandsOf).filter((command) => !command.startsWith('cd '))).toEqual(Object.keys(steps))
})

it('a command that is not run exists, and the reason is a sentence', () => {
  const marked = DOCUMENTS.flatMap(shellBlocks).filter(({ notRun }) => notRun !== undefined)
  expect(marked.map(({ document }) => document)).toEqual([
    'CONTRIBUTING.md',
    'README.md',
    'docs/backup.md',
    'docs/deploy.md',
    'docs/joining.md',
    'docs/maintenance.md',
    'docs/policy.md',
    'docs/simulation.md',
  ])
  for (const block of marked) {
    expect(block.notRun?.split(' ').length).toBeGreaterThan(3)
    expect(problems(commandsOf(block))).toEqual([])
  }
})

it('sees what is wrong with a command', () => {
  expect(
    problems([
      'thundercloud publish hello --wait',
      'thundercloud publih hello',
      'thundercloud publish hello --wiat',
      'thundercloud publish --npm serve@14.2.7 -- -l 80',
      'thundercloud hub attest x --yes',
      'npm run check',
      'npm run chekc',
      'npm install',
    ]),
  ).toEqual([
    'thundercloud publih hello: no such command',
    'thundercloud publish hello --wiat: "publish" has no --wiat',
    'npm run chekc: no script "chekc"',
  ])
})
