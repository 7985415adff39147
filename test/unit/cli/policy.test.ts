import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect } from 'vitest'
import { toDagJson } from '../../../protocols/encoding.ts'
import { manualClock } from '../../../src/base/clock.ts'
import { toReceivedService } from '../../../src/runner/index.ts'
import { announcementOf } from '../../fixtures/mesh/announcement-of.ts'
import { type Shell, test } from '../../fixtures/program/shell.ts'
import { folderWithJournal } from './journalled.ts'

function write(shell: Shell, name: string, content: unknown): void {
  mkdirSync(dirname(shell.path(name)), { recursive: true })
  const text = typeof content === 'string' || content instanceof Uint8Array ? content : JSON.stringify(content)
  writeFileSync(shell.path(name), text)
}

function changed(config: string, change: object): object {
  return { ...(JSON.parse(readFileSync(config, 'utf8')) as object), ...change }
}

const MANIFEST = { name: 'hello', toolchain: ['node'], run: { command: ['node', 'x.js'] } }
const FITS = {
  PREFER_TOOLCHAIN: { host: ['node'] },
  LIMITS: { TOTAL: { MEMORY: '1GiB', CPU: 1000, DISK: '1GiB', PIDS: 64, RUNS: 1 } },
}

test('policy check: a right one is ok, with its notices, and the runner has loaded it', async ({ shell }) => {
  write(shell, 'c.json', { ...FITS, MUST_SEND: 1 })
  const { code, stdout, stderr } = await shell.run('policy check c.json')
  expect([code, stderr]).toEqual([0, ''])
  expect(stdout).toMatch(
    /^Note: c\.json: MUST_SEND is a name of older runners.*\nc\.json is right, and Andromeda loads/,
  )
  const { values } = await shell.json('policy check c.json')
  expect(values).toEqual([
    expect.objectContaining({ ok: true, problems: [], hash: expect.stringMatching(/^[0-9a-f]{64}$/) }),
  ])
})

test('policy check: every problem is shown, each in a sentence', async ({ shell }) => {
  write(shell, 'c.json', { KEYWORD: [], DESCMAX: 1, DESC_MAX_LEN: 'x', LIMITS: { TOTAL: { MEMRY: 1 } } })
  const { code, stdout, stderr } = await shell.run('policy check c.json')
  expect([code, stderr.trim()]).toEqual([2, 'c.json has 4 problems'])
  expect(stdout.trim().split('\n')).toEqual([
    expect.stringMatching(/LIMITS\.TOTAL\.MEMRY \(1\) is not a known key; did you mean MEMORY\?/),
    expect.stringMatching(/KEYWORD \(\[\]\) is not a known key; did you mean KEYWORDS\?/),
    expect.stringMatching(/DESCMAX \(1\) is not a known key/),
    expect.stringMatching(/DESC_MAX_LEN is "x"; allowed is a whole number/),
  ])
  const { values } = await shell.json('policy check c.json')
  expect(values).toEqual([{ ok: false, file: 'c.json', problems: expect.any(Array), notices: [] }])
})

test.for<[string, unknown, RegExp]>([
  ['no file', undefined, /^c\.json is not there/],
  ['nothing in it', '', /^c\.json is not JSON: line 1, column 1/],
  ['no JSON', '{"KEYWORDS": [}', /^c\.json is not JSON: line 1, column 15: found "}"/],
  ['a list', [], /^c\.json is \[\]; allowed is an object/],
  ['a wrong type', { KEYWORDS: 7 }, /^c\.json: KEYWORDS is 7; allowed is a list/],
  ['10 MiB', `{"KEYWORDS":["${'x'.repeat(10 * 2 ** 20)}"]}`, /^c\.json has \d+ bytes; allowed are at most 1048576/],
])('policy check: %s is one sentence', async ([_what, content, sentence], { shell }) => {
  if (content !== undefined) write(shell, 'c.json', content)
  write(shell, 's.json', MANIFEST)
  await folderWithJournal(shell, 1)
  for (const line of ['check c.json', 'test c.json --service s.json', 'replay c.json', 'apply c.json --yes'])
    await shell.refused(`policy ${line}`, sentence)
})

test.for<[string, string, RegExp, number]>([
  ['exports nothing', 'export const x = 1', /has no default export/, 1],
  ['throws at import', 'export const x = missing', /cannot be imported: .*missing is not defined/, 1],
  ['is no file', '', /--runner names r\.mjs, but there is no file/, 2],
])('policy check: a runner that %s is one sentence', async ([_what, module, sentence, code], { shell }) => {
  write(shell, 'c.json', FITS)
  if (module !== '') write(shell, 'r.mjs', module)
  await shell.refused('policy check c.json --runner r.mjs', sentence, { code })
})

test('policy test: a manifest: each rule, what would change it, and what was assumed', async ({ shell }) => {
  write(shell, 'c.json', { ...FITS, DESC_MAX_LEN: 3 })
  write(shell, 's.json', { ...MANIFEST, desc: 'four' })
  const line = 'policy test c.json --service s.json --executors host --free memory=64MiB,runs=0'
  const { code, stdout } = await shell.run(line)
  expect(code).toBe(0)
  expect(stdout).toMatch(/^"hello" with c\.json and Andromeda: not run here/)
  expect(stdout).toMatch(/FAIL +desc-length .*desc/)
  expect(stdout).toMatch(/later +capacity .*memory/)
  expect(stdout).toMatch(/Assumed:\n {2}the author is .* \(unknown; --author names another\)/)
  expect(stdout).toContain('free: 64 MiB memory, 1 core, 1 GiB disk, 64 processes, 0 runs')
  const { values } = await shell.json(line)
  const facts = { capacity: { runs: 0 } }
  expect(values[0]).toMatchObject({ service: { name: 'hello' }, verdict: { run: false }, facts })
})

test('policy test: a service as an announcement, in both encodings, and as a runner gets it', async ({ shell }) => {
  const { author, signer } = await folderWithJournal(shell, 1)
  write(shell, 'c.json', { ...FITS, TRUST_TREE: { ROOTS: { [author]: {} } } })
  const { bytes, id, announcement } = announcementOf(signer, { clock: manualClock(Date.now()) })
  const { signed, ticket } = announcement
  if (signed.kind !== 'service') throw new Error('not a service')
  write(shell, 's.cbor', bytes)
  write(shell, 's1.json', toDagJson([1, signed.bytes, signed.sig, ticket.depth, ticket.proof]))
  write(shell, 's2.json', toDagJson({ announcement: bytes }))
  write(shell, 's3.json', toDagJson({ body: signed.bytes, sig: signed.sig }))
  write(shell, 's4.json', toReceivedService(signed.id, signed.body, signed.bytes.byteLength))
  for (const name of ['s.cbor', 's1.json', 's2.json', 's3.json', 's4.json']) {
    const { code, values, stderr } = await shell.json(`policy test c.json --service ${name} --executors host`)
    expect([name, code, stderr]).toEqual([name, 0, ''])
    expect(values[0]).toMatchObject({ service: { id, author }, verdict: { run: { executor: 'host' } } })
  }
})

test.for<[string, unknown, RegExp]>([
  ['not there', undefined, /^--service s\.json is not there .*; name a manifest/],
  ['no JSON', '{', /s\.json is not JSON/],
  ['a number', '7', /s\.json is no service; name a manifest/],
  ['something else', { title: 'x' }, /s\.json is no service; name a manifest/],
  ['a wrong manifest', { name: 'x', toolchain: ['node'], run: {} }, /s\.json: run\.command is missing/],
  ['half of what a runner gets', { id: 'x', author: 'y' }, /s\.json is not what a runner receives: author/],
  ['another tuple', [1, 2], /s\.json: must be \[1, body, sig, depth, proof\]/],
  ['bytes', new Uint8Array([0x85, 1, 2, 3]), /^--service s\.json: /],
  ['2 MiB', ' '.repeat(2 ** 21), /s\.json has 2097152 bytes/],
])('policy test: a service that is %s is one sentence', async ([_what, content, sentence], { shell }) => {
  write(shell, 'c.json', FITS)
  if (content !== undefined) write(shell, 's.json', content)
  await shell.refused(['policy', 'test', 'c.json', '--service', 's.json', '--executors', ''], sentence)
})

test.for<[string, RegExp]>([
  ['', /--service is missing/],
  [' --service s.json --executors dokcer', /--executors has "dokcer"; .*did you mean docker\?/],
  [' --service s.json --free memroy=1', /--free has "memroy=1"; did you mean memory\?/],
  [' --service s.json --free memory=much', /--free: memory is "much"; allowed is a size/],
  [' --service s.json --free runs=-1', /--free: runs is "-1"; allowed is a whole number/],
  [' --service s.json --depth 9', /--depth is "9"/],
  [' --service s.json --author x', /--author/],
])('policy test: options "%s" are one sentence', async ([options, sentence], { shell }) => {
  write(shell, 'c.json', FITS)
  write(shell, 's.json', MANIFEST)
  await shell.refused(`policy test c.json${options}`, sentence)
})

test('policy replay: what changes, why, and how often; and nothing is written', async ({ shell }) => {
  const { dir, config } = await folderWithJournal(shell, 5, FITS)
  const before = readdirSync(dir, { recursive: true }).sort()
  const { mtimeMs } = statSync(`${dir}/data/journal.sqlite`)
  write(shell, 'c.json', changed(config, { KEYWORDS: ['storage'], DESC_MAX_LEN: 4 }))
  const { code, stdout } = await shell.run('policy replay c.json --executors host')
  expect(code).toBe(0)
  expect(stdout).toMatch(/name-0 +run +refused +desc-length, keywords/)
  expect(stdout).toContain('5 services, 5 verdicts would change.')
  expect(stdout).toMatch(/run -> refused +5\nBecause of: desc-length 5, keywords 5\n/)
  expect(readdirSync(dir, { recursive: true }).sort()).toEqual(before)
  expect(statSync(`${dir}/data/journal.sqlite`).mtimeMs).toBe(mtimeMs)
  const { values } = await shell.json('policy replay c.json --executors host --limit 2')
  expect(values.map(({ event, name, to }) => [event, name, to])).toEqual([
    ['change', 'name-3', 'refused'],
    ['change', 'name-4', 'refused'],
    ['summary', undefined, undefined],
  ])
})

test('policy replay: a time window, a bar at a terminal, and a policy in force already', async ({ shell }) => {
  const { config } = await folderWithJournal(shell, 5, FITS)
  const argv = ['policy', 'replay', config, '--since', '150m', '--executors', 'host']
  const { stdout, stderr } = await shell.run(argv, { terminal: true })
  expect(stdout).toContain('3 services, 0 verdicts would change.')
  expect(stdout).toContain('says what is in force already')
  expect(stderr).toMatch(/replaying: \[#*\.*\] \d of 3/)
})

test('policy replay: another runner beside the one in force; one that never answers', async ({ shell }) => {
  const { config } = await folderWithJournal(shell, 8, FITS)
  const odd = 'run: false, redirect: name.endsWith("1"), reasons: [{ rule: "odd", outcome: "fail", message: "odd" }]'
  write(shell, 'mine/r.mjs', `export default ({ name }) => ({ ${odd} })`)
  const { values } = await shell.json(`policy replay ${config} --runner mine/r.mjs --executors host`)
  const candidate = { refused: 7, redirected: 1 }
  expect(values.at(-1)).toMatchObject({ changed: 8, candidate, rules: [{ rule: 'odd', count: 8 }] })
  write(shell, 'bad/r.mjs', 'export default () => { throw new Error("broken") }')
  const broken = /^the candidate's runner failed on each of the first 5 services: .*broken/
  await shell.refused(`policy replay ${config} --runner bad/r.mjs --executors host`, broken, { code: 1 })
})

test.for<[string, RegExp]>([
  ['--since yesterday', /--since is "yesterday"; allowed is a time/],
  ['--since 0h', /--since is "0h"/],
  ['--limit 0', /--limit is "0"/],
  ['--limit all', /--limit is "all"/],
])('policy replay: options %s are one sentence', async ([options, sentence], { shell }) => {
  const { config } = await folderWithJournal(shell, 1)
  await shell.refused(`policy replay ${config} ${options}`, sentence)
})

test('policy replay: no folder, no journal, a damaged one, and one of a newer program', async ({ shell }) => {
  write(shell, 'c.json', {})
  const refused = (sentence: RegExp, code = 2) => shell.refused('policy replay c.json', sentence, { code })
  await refused(/there is no folder of a node here/)
  await shell.refused(`policy replay c.json --dir ${shell.path('none')}`, /node\.json is not there/)
  const { dir } = await folderWithJournal(shell, 1)
  const journal = `${dir}/data/journal.sqlite`
  const newer = new DatabaseSync(journal)
  newer.exec('PRAGMA user_version = 99')
  newer.close()
  await refused(/use the newer thundercloud/)
  writeFileSync(journal, 'x'.repeat(10_000))
  await refused(/is damaged or no journal at all/, 1)
  rmSync(journal)
  await refused(/there is no journal/)
})
