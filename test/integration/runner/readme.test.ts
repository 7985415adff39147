import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { linkPackage } from '../../../src/cli/runner-new/link.ts'
import { runnerIn, startedRunner } from '../../fixtures/runner/runners.ts'

const GUIDE = readFileSync(resolve(import.meta.dirname, '../../../docs/runners.md'), 'utf8')
const blocks = [...GUIDE.matchAll(/```(\w+)\n([\s\S]*?)```/g)].map(([, language, code]) => ({
  language,
  code: code ?? '',
}))
const [full, first, test] = blocks.filter(({ language }) => language !== 'sh').map(({ code }) => code)

it('what docs/runners.md says of the full contract is so', async () => {
  await using runner = await startedRunner({ 'mine/runner.ts': full ?? '' }, {}, 'mine/runner.ts')
  expect((await runner.decide()).run).toMatchObject({ executor: 'docker' })
  const game = await runner.decide({ keywords: ['game', 'api'] })
  expect(game).toEqual({
    run: false,
    redirect: true,
    reasons: [{ rule: 'games', outcome: 'fail', message: 'no games here' }],
  })
})

it('and of the first form', async () => {
  await using runner = await startedRunner({ 'mine/runner.js': first ?? '' }, {}, 'mine/runner.js')
  expect(await runner.decide({ desc: 'x'.repeat(199) })).toMatchObject({ redirect: true })
  expect(await runner.decide({ desc: 'x'.repeat(200) })).toMatchObject({ redirect: false })
  expect(runner.lines.join()).toContain('Received new service xxx')
})

it('and of tests', async () => {
  const files = {
    'mine/runner.ts': full ?? '',
    'mine/runner.test.js': test ?? '',
    'mine/package.json': '{"type":"module"}',
  }
  await using runner = runnerIn(files, {}, 'mine/runner.ts')
  await linkPackage(runner.root, '0.0.0')
  const argv = ['--test', '--test-reporter=tap', join(runner.root, 'mine/runner.test.js')]
  const { stdout } = await promisify(execFile)(process.execPath, argv, { env: { PATH: process.env.PATH ?? '' } })
  expect(stdout).toMatch(/# pass 2\n# fail 0/)
})
