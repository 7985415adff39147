import { EventEmitter } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { manualClock, systemClock } from '../../../src/base/clock.ts'
import { InputError, NotFoundError, TimeoutError, UnavailableError } from '../../../src/base/errors.ts'
import { systemRng } from '../../../src/base/rng.ts'
import { checkDisk, checkExecutors } from '../../../src/cli/checks/machine.ts'
import { programAdvice } from '../../../src/cli/checks/programs.ts'
import { checkStore } from '../../../src/cli/checks/store.ts'
import { command, duration, flag, text, texts, whole } from '../../../src/cli/command.ts'
import { COMMANDS } from '../../../src/cli/commands/index.ts'
import { InterruptedError } from '../../../src/cli/errors.ts'
import { parseArgs } from '../../../src/cli/parse.ts'
import { watchSignals } from '../../../src/cli/process-signals.ts'
import { loadManifest } from '../../../src/config/index.ts'
import { test } from '../../fixtures/program/shell.ts'
import { SOME_CODE } from '../../fixtures/trust/statements.ts'

test('the command line: --version and help say what was asked for, and end with 0', async ({ shell }) => {
  expect(await shell.run('--version')).toEqual({ code: 0, stdout: '9.8.7\n', stderr: '' })
  const help = await shell.run('help')
  expect(help.code).toBe(0)
  for (const { name } of COMMANDS) expect(help.stdout).toContain(name.split(' ')[0])
  expect(help.stdout, 'each group says what its commands have in common').not.toMatch(/^ +\w+ .*\bcommands$/m)
  const one = await shell.run('publish --help')
  expect(one.code).toBe(0)
  for (const option of ['--wait', '--join <MULTIADDR>', '--json', 'DIR|MANIFEST']) expect(one.stdout).toContain(option)
  expect((await shell.run('service --help')).stdout).toContain('new [options] <NAME> [DIR]')
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
  ['start a --dir b', /the folder is "a", and --dir is "b"; name one of them/],
  ['list', /node\.json is not there .*thundercloud init.*--dir/],
])('the command line: "%s" is wrong usage: one sentence, exit code 2', async ([line, sentence], { shell }) => {
  await shell.refused(line, sentence)
  const json = await shell.run(`${line} --json`)
  expect(json.stdout).toBe('')
  expect((JSON.parse(json.stderr) as { error: string }).error).toMatch(sentence)
})

test('key new: makes the key once, whose address key show prints; key show makes none', async ({ shell }) => {
  const file = shell.path('settings/thundercloud/author.pem')
  expect((await shell.run('key show')).stdout).toContain('no key yet; `thundercloud key new` makes it')
  expect(() => statSync(file)).toThrow()
  const { code, values } = await shell.json('key new')
  expect([code, values]).toEqual([0, [{ address: expect.any(String), file }]])
  expect((await shell.json('key show')).values[0]).toMatchObject({ author: values[0] })
  const kept = readFileSync(file, 'utf8')
  await shell.refused('key new', `${file} is there already and is kept`)
  expect(readFileSync(file, 'utf8')).toBe(kept)
})

test('key rotate: a new key signs, and the old one is kept with what it owns', async ({ shell }) => {
  await shell.refused('key rotate', 'there is no key to rotate')
  const file = shell.path('settings/thundercloud/author.pem')
  const [{ address }] = (await shell.json('key new')).values as [{ address: string }]
  const entry = { seq: 1, id: 'bafy', code: 'bafy', expires: 4_000_000_000, ports: [], state: 'announced' }
  const mine = { web: entry, done: { ...entry, state: 'stopped' }, past: { ...entry, expires: 1 } }
  const index = { net: { [address]: mine, other: { theirs: entry } } }
  writeFileSync(shell.path('settings/thundercloud/published.json'), JSON.stringify(index))
  const before = readFileSync(file, 'utf8')
  const retired = shell.path(`settings/thundercloud/author-${address.slice(0, 12)}.pem`)
  const [rotated] = (await shell.json('key rotate')).values as [{ address: string }]
  expect(rotated).toMatchObject({
    file,
    old: { address, file: retired },
    publications: [{ network: 'net', name: 'web' }],
  })
  expect(readFileSync(retired, 'utf8')).toBe(before)
  expect([file, retired].map((path) => statSync(path).mode & 0o777)).toEqual([0o600, 0o600])
  expect(readFileSync(file, 'utf8')).not.toBe(before)
  expect((await shell.json('key show')).values[0]).toMatchObject({ author: { address: rotated.address } })
  expect((await shell.json(`key show --key ${retired}`)).values[0]).toMatchObject({ author: { address } })
  // one that was killed between its two steps is done again
  const next = shell.path(`settings/thundercloud/author-${rotated.address.slice(0, 12)}.pem`)
  writeFileSync(next, readFileSync(file), { mode: 0o600 })
  const [third] = (await shell.json('key rotate')).values as [{ address: string }]
  expect((await shell.json(`key show --key ${next}`)).values[0]).toMatchObject({ author: { address: rotated.address } })
  // another key is not overwritten
  const again = readFileSync(file, 'utf8')
  writeFileSync(shell.path(`settings/thundercloud/author-${third.address.slice(0, 12)}.pem`), 'mine')
  await shell.refused('key rotate', /author\.pem cannot be replaced: .*; the key that is there stays/)
  expect(readFileSync(file, 'utf8')).toBe(again)
})

test('the command line: nothing asked for shows help, with exit code 2', async ({ shell }) => {
  const { code, stdout } = await shell.run([])
  expect(code).toBe(2)
  expect(stdout).toContain('Usage: thundercloud')
})

test.for<[unknown, number]>([
  [new InputError('bad input'), 2],
  [new NotFoundError('not there'), 1],
  [new UnavailableError('nobody'), 3],
  [new TimeoutError('too late'), 4],
  [new InterruptedError('interrupted', 130), 130],
  [new TypeError('a bug'), 1],
  ['a bare string', 1],
])('exit codes: %s ends with %i', async ([error, expected], { shell }) => {
  const fail = command({ name: 'fail', summary: '', args: {}, options: {}, run: () => Promise.reject(error) })
  const { code, stderr } = await shell.run('fail', { commands: [{ name: 'fail', load: async () => fail }] })
  expect(code).toBe(expected)
  // only what nobody expected comes with a stack
  expect(stderr.includes('\n    at ')).toBe(error instanceof TypeError)
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

const WRONG = ['--network Net', '--listen 127.0.0.1:1', '--api here', '--announce 1.2.3.4', '--static foo']
test.for(WRONG)('init refuses what its files could not say, and names the option: %s', async (wrong, { shell }) => {
  const [option = '', value = ''] = wrong.split(' ')
  await shell.refused(`init x ${wrong}`, `${option} is "${value}"; allowed is `)
  expect(readdirSync(shell.root)).toEqual([])
})

test('service new writes a manifest that publish can read, and overwrites none', async ({ shell }) => {
  const written = { name: 'hello', file: shell.path('hello/service.json') }
  expect((await shell.json('service new hello')).values).toEqual([written])
  expect(await loadManifest(shell.path('hello/service.json'))).toMatchObject({ name: 'hello', replicas: 1 })
  // `publish` refuses a name that is published
  expect(readFileSync(shell.path('hello/service.json'), 'utf8')).toContain('`update` announces each next version')
  writeFileSync(shell.path('hello/service.json'), '{}')
  await shell.refused('service new hello', 'is there already')
  // what fails midway leaves nothing
  mkdirSync(shell.path('full/.thundercloud/manifest.json'), { recursive: true })
  await shell.refused('service new full --template task', 'full cannot be written')
  expect(readdirSync(shell.path('full'))).toEqual(['.thundercloud'])
  expect(readFileSync(shell.path('hello/service.json'), 'utf8')).toBe('{}')
  await shell.refused('service new ../x', /^NAME is "..\/x"; it must be/)
  mkdirSync(shell.path('other'))
  expect((await shell.run('service new there other')).code).toBe(0)
  expect(readdirSync(shell.path('other')).sort()).toEqual(['.thundercloud', 'service.json'])
})

test('service new --template writes code too, and overwrites none of the folder', async ({ shell }) => {
  const { values } = await shell.json('service new site --template static')
  expect(values).toEqual([expect.objectContaining({ code: ['public/index.html', 'server.js'] })])
  expect(readFileSync(shell.path('site/public/index.html'), 'utf8')).toContain('<h1>Hello</h1>')
  mkdirSync(shell.path('mine'))
  writeFileSync(shell.path('mine/server.js'), 'mine')
  await shell.refused('service new mine --template web', 'mine/server.js is there already; it is not overwritten')
  expect(readdirSync(shell.path('mine'))).toEqual(['server.js'])
  await shell.refused('service new x --template ../web', /--template is "\.\.\/web"; allowed is web, static, task/)
})

function fakeProcess() {
  const self = Object.assign(new EventEmitter(), { stdout: new EventEmitter(), stderr: new EventEmitter() })
  const clock = manualClock()
  const outside = watchSignals(self as unknown as NodeJS.Process, { came: false, notify: undefined }, clock)
  const listeners = () => ['SIGINT', 'SIGTERM', 'disconnect'].map((name) => self.listenerCount(name))
  return { self, clock, outside, listeners }
}

const TWICE = 'a second %s at once is the same one, and a later one is left to the system'
test.each(['SIGINT', 'SIGTERM'])(TWICE, async (name) => {
  const { self, clock, outside, listeners } = fakeProcess()
  self.emit(name)
  expect(outside.signal.aborted).toBe(true)
  // with a listener, it does not end the process
  expect(self.listenerCount(name)).toBe(1)
  await clock.advance(999)
  expect(self.listenerCount(name)).toBe(1)
  await clock.advance(1)
  expect(listeners().slice(0, 2)).toEqual([0, 0])
})

test('nothing is listened to when it is over', () => {
  const { self, outside, listeners } = fakeProcess()
  self.emit('SIGINT')
  outside[Symbol.dispose]()
  expect(listeners()).toEqual([0, 0, 0])
})

const look = async (dataDir: string) => {
  const configuration = { dataDir, quotas: { CODE_STORE: 1024 ** 3 } } as Parameters<typeof checkStore>[1]
  return await checkStore(systemClock(), configuration, AbortSignal.timeout(45_000))
}

test('doctor on the disk: where a folder that is not there yet will be', async ({ shell }) => {
  const asked = await checkDisk(shell.path('data', 'none', 'yet'))
  expect(asked).toMatchObject({ what: 'disk', found: expect.stringMatching(/^[\d.]+ \w+ free$/) })
})

test('doctor on the code store: says that there is none, and how much it may be', async ({ shell }) => {
  expect(await look(shell.root)).toMatchObject({ outcome: 'ok', found: 'empty; at most 1 GiB (QUOTAS.CODE_STORE)' })
})

test('doctor on the code store: counts what is there, and follows no link', async ({ shell: { root: dataDir } }) => {
  const files = join(dataDir, 'code/codes', SOME_CODE.toString(), 'files')
  await mkdir(join(files, 'node_modules/.bin'), { recursive: true })
  await mkdir(join(dataDir, 'code/partial/x'), { recursive: true })
  await mkdir(join(dataDir, 'code/temp/in-1'), { recursive: true })
  await writeFile(join(files, 'a.js'), 'x'.repeat(1000))
  await symlink('../../a.js', join(files, 'node_modules/.bin/a'))
  const good = await look(dataDir)
  expect(good.outcome).toBe('ok')
  expect(good.found).toMatch(
    /^1 archive, 1000 B of 1 GiB, \d+ files and folders; 1 fetched in part; 1 link inside its archive; 1 left by a crash/,
  )
  // out of the archive, absolute, to another link, to nothing, and beside the archive
  await symlink('../../../../../..', join(files, 'up'))
  await symlink('/etc/passwd', join(files, 'abs'))
  await symlink('node_modules/.bin/a', join(files, 'chain'))
  await symlink('gone', join(files, 'dangling'))
  await symlink('/', join(dataDir, 'code/codes/root'))
  const bad = await look(dataDir)
  expect(bad).toMatchObject({ outcome: 'warn', advice: expect.stringContaining('remove those folders of') })
  expect(bad.found).toMatch(/5 links that no archive holds: /)
  for (const name of ['up', 'abs', 'chain', 'dangling', 'root']) expect(bad.found).toContain(name)
})

test('doctor without a folder asks the engine of DOCKER_HOST, and says so', async ({ shell: { root: dataDir } }) => {
  const socket = join(dataDir, 'none.sock')
  const { checks, available } = await checkExecutors(systemClock(), undefined, {
    rng: systemRng(),
    env: { DOCKER_HOST: `unix://${socket}`, XDG_RUNTIME_DIR: dataDir },
    signal: AbortSignal.timeout(45_000),
  })
  const { outcome, found } = checks.find(({ what }) => what === 'Docker engine') ?? {}
  expect([outcome, found]).toEqual(['warn', expect.stringContaining(socket)])
  expect(found).toContain('DOCKER_HOST')
  expect([...available]).not.toContain('docker')
})

test('doctor says which programs of listed toolchains are missing', () => {
  expect(programAdvice(['node.js'], ['node.js', 'rust', 'go'])).toMatch(
    /^install go \(go\), cargo \(rust\) in \/usr\/bin/,
  )
  expect(programAdvice(['node.js'], ['node.js'])).toBeUndefined()
  expect(programAdvice(undefined, ['rust'])).toBeUndefined()
})
