import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { expect } from 'vitest'
import { COMMANDS } from '../../../../src/cli/commands/index.ts'
import { test } from '../../../fixtures/program/shell.ts'

const installed = (program: string) => spawnSync(program, ['-c', 'exit 0']).status === 0

test('bash completes commands, their groups, options, choices and files', async ({ withNode: shell }) => {
  const { code, stdout } = await shell.run('completion bash')
  expect(code).toBe(0)
  mkdirSync(shell.path('my-node'))
  writeFileSync(shell.path('my-file'), '')
  const complete = (...words: string[]) => {
    const typed = words.map((word) => `'${word}'`).join(' ')
    const script = `${stdout}\nCOMP_WORDS=(thundercloud ${typed}); COMP_CWORD=${words.length}; _thundercloud; printf '%s\\n' "\${COMPREPLY[@]}"`
    const answer = execFileSync('bash', ['--norc', '-c', script], { cwd: shell.root, encoding: 'utf8' })
    return answer.split('\n').filter((word) => word !== '')
  }
  const first = new Set(COMMANDS.map(({ name }) => name.split(' ')[0]))
  expect(new Set(complete(''))).toEqual(first)
  expect(complete('bl')).toEqual(['block'])
  expect(complete('block', 'a')).toEqual(['author'])
  expect(complete('--dir', 'my-node', 'block', '')).toEqual(['author', 'code', 'peer', 'ls'])
  expect(complete('block', 'author', '--k')).toEqual(['--keep-runs'])
  expect(complete('block', 'author', 'someone', '--jso')).toEqual(['--json'])
  expect(complete('--log-level', 'war')).toEqual(['warn'])
  // a value is no command, whatever it is called
  expect(complete('block', 'author', '--note', '')).toEqual([])
  expect(complete('--dir', 'block', 'und')).toEqual(['undrain'])
  expect(complete('--dir', 'my-')).toEqual(['my-node'])
  expect(complete('backup', 'my-').toSorted()).toEqual(['my-file', 'my-node'])
  expect(complete('start', 'my-')).toEqual(['my-node'])
  writeFileSync(shell.path('two words'), '')
  for (const typed of [['backup'], ['backup', '--passphrase-file'], ['publish', '--']]) {
    expect(complete(...typed, 'two')).toEqual(['two words'])
  }
})

test.for(['zsh', 'fish'])(
  '%s reads its script, which has every command and option',
  async (name, { withNode: shell, skip }) => {
    const { code, stdout } = await shell.run(`completion ${name}`)
    expect(code).toBe(0)
    for (const word of ['keep-runs', 'undrain', 'log-level']) expect(stdout).toContain(word)
    if (!installed(name)) skip(`${name} is not installed`)
    writeFileSync(shell.path('script'), stdout)
    expect(execFileSync(name, ['-n', shell.path('script')], { encoding: 'utf8' })).toBe('')
  },
)

test('another shell is refused', async ({ withNode: shell }) => {
  await shell.refused('completion powershell', 'allowed are bash, zsh, fish')
})
