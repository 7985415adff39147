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

/** What each of these is completed to, the same in every shell. */
const COMPLETED: [typed: string[], words: string[]][] = [
  [['bl'], ['block']],
  [['block', 'a'], ['author']],
  [
    ['--dir', 'my-node', 'block', ''],
    ['author', 'code', 'ls', 'peer'],
  ],
  [['block', 'author', '--k'], ['--keep-runs']],
  [['--log-level', 'war'], ['warn']],
  [['--dir', 'block', 'und'], ['undrain']],
  [['block', 'author', '--note', ''], []],
]

test('fish completes the same, and files by their whole path', async ({ withNode: shell, skip }) => {
  const script = shell.path('script.fish')
  writeFileSync(script, (await shell.run('completion fish')).stdout)
  if (!installed('fish')) skip('fish is not installed')
  mkdirSync(shell.path('my-node'))
  const complete = (...words: string[]) => {
    const ask = `source ${script}; complete -C 'thundercloud ${words.join(' ')}'`
    const { stdout, stderr } = spawnSync('fish', ['--no-config', '-c', ask], { cwd: shell.root, encoding: 'utf8' })
    expect(stderr).toBe('')
    return stdout.split('\n').flatMap((line) => line.split('\t')[0] || [])
  }
  for (const [typed, words] of COMPLETED) expect(complete(...typed).toSorted(), typed.join(' ')).toEqual(words)
  expect(complete('backup', script.slice(0, -3))).toEqual([script])
  expect(complete('--dir', 'my-')).toEqual(['my-node/'])
})

test('zsh completes the same, and finds the script in fpath', async ({ withNode: shell, skip }) => {
  writeFileSync(shell.path('_thundercloud'), (await shell.run('completion zsh')).stdout)
  if (!installed('zsh')) skip('zsh is not installed')
  const run = (script: string) => execFileSync('zsh', ['-f', '-c', script], { cwd: shell.root, encoding: 'utf8' })
  expect(run('fpath=($PWD $fpath); autoload -U compinit; compinit -D -u; print $_comps[thundercloud]')).toBe(
    '_thundercloud\n',
  )
  // what matches is the completion system's: here, the words that it is given
  const offered = (...words: string[]) => {
    const typed = words.map((word) => `'${word}'`).join(' ')
    const stubs = `compdef() { : }; compadd() { shift; print -l -- $@ }
      _describe() { local a; for a in subs flags globals; do (( \${@[(Ie)$a]} )) && print -rl -- \${(P)a}; done }`
    const script = `${stubs}; source ./_thundercloud; words=(thundercloud ${typed}); CURRENT=${words.length + 1}; _thundercloud; true`
    return run(script)
      .split('\n')
      .flatMap((line) => line.split(':')[0] || [])
  }
  for (const [typed, words] of COMPLETED) {
    const matching = offered(...typed).filter((word) => word.startsWith(typed.at(-1) ?? ''))
    expect([...new Set(matching)].toSorted(), typed.join(' ')).toEqual(words)
  }
})

test('another shell is refused', async ({ withNode: shell }) => {
  await shell.refused('completion powershell', 'allowed are bash, zsh, fish')
})
