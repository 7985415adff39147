import { cpSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { commandLine } from '../../../src/cli/output/command-text.ts'
import { reasonLines } from '../../../src/cli/output/format-verdict.ts'
import { usageLines } from '../../../src/cli/output/usage-text.ts'
import { adviceOn } from '../../../src/cli/policy/advice.ts'
import { receiptLine } from '../../../src/cli/publishing/receipt-tracker.ts'
import { test as base } from '../../fixtures/program/shell.ts'

const HELLO = fileURLToPath(new URL('../../../configs/examples/hello-web', import.meta.url))
const test = base.extend('shell', ({ withNode }) => {
  cpSync(HELLO, withNode.path('hello'), { recursive: true })
  return withNode
})
const SERVICE = { author: 'AUTHOR', code: 'bafy', desc: 'two words' }
const DONE = { node: 'n', peerId: 'p', state: 'done', redirected: false, at: 1 }

test('a task whose outputs are incomplete: its receipt is one sentence, which says it once', () => {
  const outputs = (message: string, outcome: 'fail' | 'pass' = 'fail') =>
    receiptLine({ ...DONE, reasons: [{ rule: 'run:outputs', outcome, message }] }, 'p')
  expect(outputs('bafyabc: no file at "a.txt"')).toBe(
    'p  has done it; results bafyabc (incomplete: no file at "a.txt")',
  )
  expect(outputs('the outputs are not there: no file at "a.txt"')).toBe(
    'p  has done it; no results: the outputs are not there: no file at "a.txt"',
  )
  expect(outputs('bafyabc', 'pass')).toBe('p  has done it, and keeps its results')
})

test('what would change a rule is a command for the folder that was typed, and a sentence', () => {
  const typed = (...words: string[]) => commandLine({ globals: { dir: 'second' } }, words)
  const needs = { field: 'author', must: 'one-of', value: 'ME' } as const
  const reason = { rule: 'trust', outcome: 'fail', message: 'not in the trust tree', needs } as const
  const [advice] = adviceOn([reason], SERVICE, typed)
  expect(advice?.lines[0]).toBe('thundercloud trust delegate AUTHOR --until 90d --dir second')
  expect(reasonLines([reason]).at(-1)).toContain('author one of, or trusted by one of: ME')
  const reward = { ...reason, rule: 'price', needs: { field: 'reward', must: 'one-of', value: '0.015 eur' } } as const
  expect(reasonLines([reward]).at(-1)).toContain('a reward of at least 0.015 eur an hour')
})

test('results: of a service there are none, and a wrong peer id is refused before a node is asked', async ({
  shell,
}) => {
  await shell.run('publish hello')
  await shell.refused('results hello-web', '"hello-web" is a service; only a task leaves results')
  await shell.refused('results hello-web --node 12D3KooWxxx', '--node is "12D3KooWxxx"; allowed is a peer id')
})

test('usage: a line for all of it and one for the last minute, with money rounded', () => {
  const said = '251 s, 0.13 s of CPU, 0.008735 GiB h, 79 B received, 145 B sent, 0.0010482375 eur'
  expect(usageLines(`${said}; of that last 11 s, 0.01 s of CPU, 0.000000239663194444445 eur`)).toEqual([
    `used in all: ${said.replace('0.0010482375', '0.001048')}`,
    'of that in the last 11 s, 0.01 s of CPU, 0.0000002397 eur',
  ])
})
