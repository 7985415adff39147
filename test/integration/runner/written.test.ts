import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { linkPackage } from '../../../src/cli/runner-new/link.ts'
import { loadPolicy } from '../../../src/config/files/policy.ts'
import { loadConfiguration } from '../../../src/config/index.ts'
import { parseJson } from '../../../src/config/json.ts'
import { ROOT } from '../../build.ts'
import { type Shell, test } from '../../fixtures/program/shell.ts'
import { runnerIn, startedRunner } from '../../fixtures/runner/runners.ts'

/** Runs Node.js as in the operator's own terminal: with nothing of this test's. */
async function node(...argv: string[]): Promise<string> {
  const env = { PATH: process.env.PATH ?? '' }
  return (await promisify(execFile)(process.execPath, argv, { env })).stdout
}
const tested = (...argv: string[]) => node('--test', '--test-reporter=tap', ...argv)

describe('the examples', () => {
  const FOLDER = join(ROOT, 'configs/runners')
  const entries = readdirSync(FOLDER, { withFileTypes: true })
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)

  it('are these', () => expect(names.sort()).toEqual(['ask-http', 'family']))

  it.each(names)('%s has settings that load, and name a schema that is there', async (name) => {
    const path = join(FOLDER, name, 'config.json')
    const { policy, notices } = await loadPolicy(path)
    expect(notices).toEqual([])
    expect(Object.keys(policy.config.CUSTOM).length).toBeGreaterThan(0)
    const { $schema } = parseJson(readFileSync(path, 'utf8')) as { $schema: string }
    expect(existsSync(resolve(path, '..', $schema))).toBe(true)
  })

  it.each(names)('%s passes its own tests, in the process that a node gives it', async (name) => {
    const file = readdirSync(join(FOLDER, name)).find((file) => file.startsWith('runner.test.')) ?? ''
    const stdout = await tested('--conditions=thundercloud-source', join(FOLDER, name, file))
    expect(stdout).toMatch(/\n# pass ([6-9]|\d\d)\n# fail 0\n/)
    expect(stdout).toContain('keeps the contract of runners')
  })
})

describe('what docs/runners.md says', () => {
  const guide = readFileSync(join(ROOT, 'docs/runners.md'), 'utf8')
  const blocks = [...guide.matchAll(/```(\w+)\n([\s\S]*?)```/g)].filter(([, language]) => language !== 'sh')
  const [full = '', first = '', tests = ''] = blocks.map(([, , code]) => code)

  it('of the full contract is so', async () => {
    await using runner = await startedRunner({ 'mine/runner.ts': full }, {}, 'mine/runner.ts')
    expect((await runner.decide()).run).toMatchObject({ executor: 'docker' })
    const reasons = [{ rule: 'games', outcome: 'fail', message: 'no games here' }]
    expect(await runner.decide({ keywords: ['game', 'api'] })).toEqual({ run: false, redirect: true, reasons })
  })

  it('and of the first form', async () => {
    await using runner = await startedRunner({ 'mine/runner.js': first }, {}, 'mine/runner.js')
    expect(await runner.decide({ desc: 'x'.repeat(199) })).toMatchObject({ redirect: true })
    expect(await runner.decide({ desc: 'x'.repeat(200) })).toMatchObject({ redirect: false })
    expect(runner.lines.join()).toContain('Received new service xxx')
  })

  it('and of tests', async () => {
    const files = { 'runner.ts': full, 'runner.test.js': tests, 'package.json': '{"type":"module"}' }
    const below = Object.fromEntries(Object.entries(files).map(([name, text]) => [`mine/${name}`, text]))
    await using runner = runnerIn(below, {}, 'mine/runner.ts')
    await linkPackage(runner.root, '0.0.0')
    expect(await tested(join(runner.root, 'mine/runner.test.js'))).toMatch(/# pass 2\n# fail 0/)
  })
})

describe('runner new', () => {
  /** An operator's folder. */
  async function init(shell: Shell): Promise<string> {
    expect((await shell.run('init op --static /ip4/192.0.2.7/tcp/4980')).code).toBe(0)
    return shell.path('op')
  }

  test.for<[string, string[]]>([
    ['js', []],
    ['ts', ['--ts']],
  ])(
    'writes a runner in %s whose test passes with node --test, and which a node can load',
    async ([language, flags], { shell }) => {
      const dir = await init(shell)
      const { code, values } = await shell.json(['runner', 'new', 'mine', '--dir', 'op', ...flags])
      expect(code).toBe(0)
      const RUNNER = `mine/runner.${language}`
      expect(values).toMatchObject([{ name: 'mine', folder: join(dir, 'runners/mine'), RUNNER }])
      const stdout = await tested(join(dir, 'runners/mine', `runner.test.${language}`))
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
    },
  )

  test('types are there for an editor', async ({ shell }) => {
    const at = join(await init(shell), 'runners/mine')
    await shell.run('runner new mine --ts --dir op')
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
    await node(tsc, '-p', at)
    const file = join(at, 'runner.ts')
    writeFileSync(file, readFileSync(file, 'utf8').replace("outcome: 'fail'", "outcome: 'never'"))
    await expect(node(tsc, '-p', at)).rejects.toMatchObject({
      stdout: expect.stringMatching(/runner\.ts\(\d+,\d+\): error TS2322: Type '"never"'/),
    })
  })

  test('overwrites nothing, and says in one sentence what is wrong', async ({ shell }) => {
    const dir = await init(shell)
    expect((await shell.run('runner new mine --dir op')).code).toBe(0)
    const before = readdirSync(join(dir, 'runners/mine'))
    mkdirSync(join(dir, 'runners/bare'))
    writeFileSync(join(dir, 'runners/file'), '')
    for (const [argv, sentence] of [
      ['mine --ts --dir op', /op\/runners\/mine is there already; nothing in it is overwritten/],
      ['andromeda --dir op', /andromeda is there already/],
      ['file --dir op', /runners\/file cannot be read: /],
      ['Mine --dir op', /^NAME is "Mine"; it must be lower-case letters/],
      ['../mine --dir op', /^NAME is "\.\.\/mine"; it must be/],
      ['node_modules --dir op', /^NAME is "node_modules", where packages are/],
      ['other --dir nowhere', /node\.json is not there .*thundercloud init/],
    ] as const)
      await shell.refused(`runner new ${argv}`, sentence)
    expect(readdirSync(join(dir, 'runners/mine'))).toEqual(before)
    // a folder with nothing in it may be filled
    expect((await shell.run('runner new bare --dir op')).code).toBe(0)
  })
})
