import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { describe, expect } from 'vitest'
import { InputError, NotFoundError, TimeoutError, UnavailableError } from '../../../src/base/errors.ts'
import { command, duration, flag, text, texts, whole } from '../../../src/cli/command.ts'
import { COMMANDS } from '../../../src/cli/commands/index.ts'
import { InterruptedError } from '../../../src/cli/errors.ts'
import { parseArgs } from '../../../src/cli/parse.ts'
import { loadManifest } from '../../../src/config/index.ts'
import { openShell, test } from '../../fixtures/program/shell.ts'

describe('the command line', () => {
  test('--version and help say what was asked for, and end with 0', async ({ shell }) => {
    expect(await shell.run('--version')).toEqual({ code: 0, stdout: '9.8.7\n', stderr: '' })
    const help = await shell.run('help')
    expect(help.code).toBe(0)
    for (const { name } of COMMANDS) expect(help.stdout).toContain(name.split(' ')[0])
    const one = await shell.run('publish --help')
    expect(one.code).toBe(0)
    for (const option of ['--wait', '--join <MULTIADDR>', '--json', 'DIR|MANIFEST'])
      expect(one.stdout).toContain(option)
    expect((await shell.run('service --help')).stdout).toContain('new <NAME> [DIR]')
    for (const { name } of COMMANDS) {
      const asked = await shell.run(['help', ...name.split(' ')])
      expect([asked.code, asked.stdout]).toEqual([0, expect.stringMatching(`^Usage: thundercloud ${name} `)])
    }
  })

  test.for<[string, RegExp]>([
    ['lst', /unknown command 'lst'.*list/],
    ['list --al', /unknown option '--al'.*--all/],
    ['list extra', /too many arguments/],
    ['explain', /missing required argument 'SERVICE'/],
    ['logs x --tail -1', /--tail is "-1"; allowed is a whole number from 0 to 10000/],
    ['logs x --tail 1e3', /--tail/],
    ['publish x --timeout soon', /--timeout is "soon"; allowed is a time like "90s"/],
    ['connect x --local 70000', /--local/],
    ['list --log-level loud', /--log-level/],
    ['list --api ftp://x', /--api is "ftp:\/\/x"; allowed is an address like/],
    ['list --api http://user:secret@127.0.0.1', /--api/],
    ['list --dir=', /--dir is empty/],
    ['list', /node\.json is not there .*thundercloud init.*--dir/],
  ])('"%s" is wrong usage: one sentence, exit code 2', async ([line, sentence], { shell }) => {
    await shell.refused(line, sentence)
    const json = await shell.run(`${line} --json`)
    expect(json.stdout).toBe('')
    expect((JSON.parse(json.stderr) as { error: string }).error).toMatch(sentence)
  })

  test('nothing asked for shows help, with exit code 2', async ({ shell }) => {
    const { code, stdout } = await shell.run([])
    expect(code).toBe(2)
    expect(stdout).toContain('Usage: thundercloud')
  })
})

describe('exit codes', () => {
  test.for<[unknown, number]>([
    [new InputError('bad input'), 2],
    [new NotFoundError('not there'), 1],
    [new UnavailableError('nobody'), 3],
    [new TimeoutError('too late'), 4],
    [new InterruptedError('interrupted', 130), 130],
    [new TypeError('a bug'), 1],
    ['a bare string', 1],
  ])('%s ends with %i', async ([error, expected], { shell }) => {
    const fail = command({ name: 'fail', summary: '', args: {}, options: {}, run: () => Promise.reject(error) })
    const { code, stderr } = await shell.run('fail', { commands: [{ name: 'fail', load: async () => fail }] })
    expect(code).toBe(expected)
    // only what nobody expected comes with a stack
    expect(stderr.includes('\n    at ')).toBe(error instanceof TypeError)
  })
})

test('options reach a handler with their types and defaults', async () => {
  const options = {
    ...{ many: texts('X', ''), one: text('X', ''), on: flag('', '-o'), howLong: duration('', '2m') },
    count: whole('N', '', { min: 1, max: 9, fallback: 3 }),
  }
  const seen = command({ name: 'see that', summary: '', args: {}, options, run: async () => {} })
  const commands = [{ name: seen.name, load: async () => seen }]
  const parse = async (line: string) => (await parseArgs(line.split(' '), { commands, version: '1', help() {} })).input
  const usual = { many: [], one: undefined, on: false, howLong: 120, count: 3 }
  expect(await parse('see that')).toEqual(usual)
  const chosen = { many: ['a', 'b'], one: 'c', on: true, howLong: 3600, count: 9 }
  expect(await parse('see that --many a --many b --one c -o --how-long 1h --count 9')).toEqual(chosen)
})

describe('init and service new', () => {
  test('init writes the folder that it was asked for, once', async ({ shell }) => {
    const init = 'init mine --network net-1 --private --listen /ip4/127.0.0.1/tcp/0 --api 127.0.0.1:0'
    const { code, values } = await shell.json(`${init} --static http://127.0.0.1:4981`)
    expect(code).toBe(0)
    const peerId = expect.stringMatching(/^12D3KooW/)
    expect(values).toEqual([{ dir: shell.path('mine'), address: expect.any(String), peerId }])
    const listen = { LISTEN: ['/ip4/127.0.0.1/tcp/0'], API: '127.0.0.1:0' }
    const written = JSON.parse(readFileSync(shell.path('mine/node.json'), 'utf8'))
    expect(written).toMatchObject({ NETWORK: 'net-1', VISIBILITY: 'private', ...listen })
    expect(readFileSync(shell.path('mine/runners/andromeda/config.json'), 'utf8')).toContain('http://127.0.0.1:4981')
    expect(statSync(shell.path('mine/api.token')).mode & 0o777).toBe(0o600)
    await shell.refused(init, 'is not empty')
  })

  test.each(['--network Net', '--listen 127.0.0.1:1', '--api here'])(
    'init refuses what node.json could not say: %s',
    async (wrong) => {
      using shell = openShell()
      await shell.refused(`init x ${wrong}`, 'node.json')
      expect(readdirSync(shell.root)).toEqual([])
    },
  )

  test('service new writes a manifest that publish can read, and overwrites none', async ({ shell }) => {
    expect((await shell.json('service new hello')).values).toEqual([
      { name: 'hello', file: shell.path('hello/service.json') },
    ])
    expect(await loadManifest(shell.path('hello/service.json'))).toMatchObject({ name: 'hello', replicas: 1 })
    writeFileSync(shell.path('hello/service.json'), '{}')
    await shell.refused('service new hello', 'is there already')
    expect(readFileSync(shell.path('hello/service.json'), 'utf8')).toBe('{}')
    await shell.refused('service new ../x', /^NAME is "..\/x"; it must be/)
    mkdirSync(shell.path('other'))
    expect((await shell.run('service new there other')).code).toBe(0)
    expect(readdirSync(shell.path('other')).sort()).toEqual(['.thundercloud', 'service.json'])
  })
})
