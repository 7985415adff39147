import { execFile } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { loadConfiguration } from '../../../src/config/index.ts'
import { openShell } from '../../fixtures/program/shell.ts'

const exec = promisify(execFile)
/** As in the operator's own terminal: nothing of this test's node. */
const env = { PATH: process.env.PATH ?? '' }

async function folder() {
  const shell = openShell()
  const made = await shell.run('init op --static /ip4/192.0.2.7/tcp/4980')
  expect(made.code).toBe(0)
  return { shell, dir: shell.path('op') }
}

describe('runner new', () => {
  test.each([
    ['js', []],
    ['ts', ['--ts']],
  ])('writes a runner in %s whose test passes with node --test, and which a node can load', async (language, flags) => {
    const { shell, dir } = await folder()
    using _ = shell
    const { code, values } = await shell.json(['runner', 'new', 'mine', '--dir', 'op', ...flags])
    expect(code).toBe(0)
    const RUNNER = `mine/runner.${language}`
    expect(values).toMatchObject([{ name: 'mine', folder: join(dir, 'runners/mine'), RUNNER }])

    const test = join(dir, 'runners/mine', `runner.test.${language}`)
    const { stdout } = await exec(process.execPath, ['--test', '--test-reporter=tap', test], { env })
    expect(stdout).toMatch(/# pass 3\n# fail 0/)
    expect(stdout).toContain('keeps the contract of runners')

    const services = join(dir, 'services.json')
    writeFileSync(services, JSON.stringify({ ...JSON.parse(readFileSync(services, 'utf8')), RUNNER }))
    const { configuration, notices } = await loadConfiguration(dir)
    expect(configuration.runner.entry).toBe(join(dir, 'runners', RUNNER))
    // the settings of the runner that decided before: a new runner must not cut the node off
    expect(configuration.policy.config.STATIC_NODES).toEqual(['/ip4/192.0.2.7/tcp/4980'])
    expect(configuration.policy.config.CUSTOM).toEqual({ REFUSED_KEYWORDS: ['game'] })
    expect(notices).toEqual([])
  })

  test('types are there for an editor', async () => {
    const { shell, dir } = await folder()
    using _ = shell
    await shell.run('runner new mine --ts --dir op')
    const at = join(dir, 'runners/mine')
    const tsc = join(import.meta.dirname, '../../../node_modules/typescript/bin/tsc')
    await exec(process.execPath, [tsc, '-p', at], { env })
    const file = join(at, 'runner.ts')
    writeFileSync(file, readFileSync(file, 'utf8').replace("outcome: 'fail'", "outcome: 'never'"))
    await expect(exec(process.execPath, [tsc, '-p', at], { env })).rejects.toMatchObject({
      stdout: expect.stringMatching(/runner\.ts\(\d+,\d+\): error TS2322: Type '"never"'/),
    })
  })

  test('overwrites nothing, and says in one sentence what is wrong', async () => {
    const { shell, dir } = await folder()
    using _ = shell
    expect((await shell.run('runner new mine --dir op')).code).toBe(0)
    const before = readdirSync(join(dir, 'runners/mine'))
    mkdirSync(join(dir, 'runners/bare'))
    writeFileSync(join(dir, 'runners/file'), '')
    for (const [argv, sentence] of [
      [['mine', '--ts', '--dir', 'op'], /op\/runners\/mine is there already; nothing in it is overwritten/],
      [['andromeda', '--dir', 'op'], /andromeda is there already/],
      [['file', '--dir', 'op'], /runners\/file cannot be read: /],
      [['Mine', '--dir', 'op'], /^NAME is "Mine"; it must be lower-case letters/],
      [['../mine', '--dir', 'op'], /^NAME is "\.\.\/mine"; it must be/],
      [['node_modules', '--dir', 'op'], /^NAME is "node_modules", where packages are/],
      [['other', '--dir', 'nowhere'], /node\.json is not there .*thundercloud init/],
    ] as const) {
      const { code, stdout, stderr } = await shell.run(['runner', 'new', ...argv])
      expect([code, stdout]).toEqual([2, ''])
      expect(stderr).toMatch(sentence)
      expect(stderr.trim()).not.toContain('\n')
    }
    expect(readdirSync(join(dir, 'runners/mine'))).toEqual(before)
    // a folder with nothing in it may be filled
    expect((await shell.run('runner new bare --dir op')).code).toBe(0)
  })
})
