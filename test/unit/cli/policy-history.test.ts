import { expect } from 'vitest'
import { test } from '../../fixtures/program/shell.ts'

const WEB = '{\n  "KEYWORDS": ["web"]\n}\n'
const GAMES = '{\n  // \u001b[2J\u202e\n  "KEYWORDS": ["games"]\n}\n'

test('policy history: who put what in force, and what each changed', async ({ withNode: shell }) => {
  expect((await shell.run('policy history')).stdout).toBe('No policy is in the history yet.\n')
  await shell.node.applyPolicy(WEB)
  await shell.node.applyPolicy(GAMES, { by: { kind: 'token', id: '0a', label: 'ann\u001b[2J' } })
  const list = await shell.run('policy history')
  expect(list.stdout).toMatch(
    /^NUMBER +WHEN +LINES +BY\n2 .* the newest +the token ".*ann.*" \(0a\)\n1 .*the file, changed/,
  )
  const one = await shell.run('policy history 2')
  expect(one.stdout).toMatch(
    /Against policy 1:\n\n {2}\{\n- +"KEYWORDS": \["web"\]\n\+ .*\n\+ +"KEYWORDS": \["games"\]\n {2}\}/,
  )
  for (const { stdout } of [list, one]) {
    for (const character of ['\u202e', '\u001b']) expect(stdout).not.toContain(character)
  }
  expect((await shell.run('policy history 1 --text')).stdout).toBe(WEB)
  expect((await shell.json('policy history 2')).values).toMatchObject([{ number: 2, before: 1, text: GAMES }])
  await shell.refused('policy history 9', 'there is no policy 9 in the history', { code: 1 })
  for (const wrong of ['0', '-1', '1e3', '../1', 'x']) {
    await shell.refused(['policy', 'history', '--', wrong], /^NUMBER is .*; allowed is a whole number/)
  }
  await shell.refused('policy history --text', '--text needs a NUMBER')
})

test('policy revert: the changed lines and the dry run come first, and it asks', async ({ withNode: shell }) => {
  await shell.node.applyPolicy(WEB)
  await shell.node.applyPolicy(GAMES)
  await shell.refused('policy revert 1 --json', 'add --yes')
  expect(shell.node.applied).toHaveLength(2)
  const no = await shell.run('policy revert 1', { terminal: true, answer: 'n\n' })
  expect([no.code, shell.node.applied.length]).toEqual([1, 2])
  const yes = await shell.run('policy revert 1', { terminal: true, answer: 'y\n' })
  expect(yes.stderr).toMatch(
    /- +"KEYWORDS": \["games"\]\n\+ +"KEYWORDS": \["web"\][\s\S]*Nothing would change[\s\S]*Put policy 1 in force again\?/,
  )
  expect(yes.stdout).toContain('Policy 1 is in force again')
  expect(shell.node.applied.at(-1)).toBe(WEB)
  expect(shell.node.policyHistory.list()[0]).toMatchObject({ number: 3, sameAs: 1 })
  expect((await shell.run('policy revert 3 --yes')).stdout).toMatch(
    /^Nothing was changed: config\.json says what policy 3 says/,
  )
  await shell.refused('policy revert 9 --yes', 'there is no policy 9 in the history', { code: 1 })
})
