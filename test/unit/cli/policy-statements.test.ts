import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect } from 'vitest'
import { formatAddress } from '../../../protocols/address.ts'
import { parseCid } from '../../../protocols/encoding.ts'
import type { Signer } from '../../../protocols/signature.ts'
import { manualClock, systemClock } from '../../../src/base/clock.ts'
import { silentLog } from '../../../src/base/log.ts'
import { openJournal } from '../../../src/journal/index.ts'
import { ANNOUNCED_CODE, announcementOf, newSigner } from '../../fixtures/mesh/announcement-of.ts'
import { type Shell, test } from '../../fixtures/program/shell.ts'
import { newMembersHub } from '../../fixtures/trust/hubs.ts'
import { attestationBy, delegationBy } from '../../fixtures/trust/statements.ts'
import { folderWithJournal } from './journalled.ts'

const FITS = {
  REDIRECTION_DEPTH: 3,
  PREFER_TOOLCHAIN: { host: ['node'] },
  LIMITS: { TOTAL: { MEMORY: '1GiB', CPU: 1000, DISK: '1GiB', PIDS: 64, RUNS: 1 } },
}
const clock = systemClock()
const code = parseCid(ANNOUNCED_CODE)
const textOf = ({ address }: Signer) => formatAddress(address)
const safe = (hub: Signer, change = {}) => attestationBy(hub, { clock }, { code, ...change })

function write(shell: Shell, name: string, content: unknown): void {
  mkdirSync(dirname(shell.path(name)), { recursive: true })
  writeFileSync(shell.path(name), content instanceof Uint8Array ? content : JSON.stringify(content))
}

type Staples = { statements?: Uint8Array[]; credentials?: Uint8Array[] }
function announced(shell: Shell, author: Signer, staples: Staples = {}) {
  write(shell, 's.cbor', announcementOf(author, { clock, ...staples }).bytes)
}

async function asked(shell: Shell, ...files: string[]) {
  const statements = files.map((file) => ` --statements ${file}`).join('')
  const line = `policy test c.json --service s.cbor --executors host --network test${statements}`
  const { code: status, values, stderr } = await shell.json(line)
  expect([status, stderr]).toEqual([0, ''])
  type DryRun = {
    verdict: { run: object | false; redirect: boolean; park?: object[] }
    assumed: string[]
    facts: object
  }
  return values[0] as DryRun
}

/** What a node has kept, written as it does. */
function keep(dir: string, ...statements: Uint8Array[]): void {
  const path = join(dir, 'data/journal.sqlite')
  using journal = openJournal({ path, clock: manualClock(Date.now()), log: silentLog() })
  const kept = { receivedAt: Date.now(), via: 'gossip', own: false, recordPublishedAt: 0 } as const
  for (const encoded of statements) expect(journal.statements.put({ encoded, ...kept })).toBe(true)
}

test('policy test: knows what the service brings, and what files hold; each counts once', async ({ shell }) => {
  const [author, one, two] = [newSigner(), newSigner(), newSigner()]
  write(shell, 'c.json', { ...FITS, TRUSTED_HUBS: { [textOf(one)]: {}, [textOf(two)]: { WEIGHT: 3 } } })
  announced(shell, author, { statements: [safe(one)] })
  const alone = await asked(shell)
  expect(alone.verdict).toMatchObject({ run: false, redirect: true, park: [{ on: 'quorum', code: ANNOUNCED_CODE }] })
  expect(alone.facts).toMatchObject({ quorum: { hubs: 1, weight: 0, met: false }, inTree: false })
  expect(alone.assumed.join('\n')).toMatch(
    /1 trusted hub calls its code safe, nothing is known to be frozen, and no root vouches for its author: known from 1 statement stapled to it and no statement in the journal/,
  )
  write(shell, 'again', safe(one))
  expect((await asked(shell, 'again')).verdict.run).toBe(false)
  write(shell, 'two', safe(two))
  const both = await asked(shell, 'two')
  expect(both.verdict.run).toMatchObject({ executor: 'host' })
  expect(both.facts).toMatchObject({ quorum: { hubs: 2, weight: 3, met: true } })
  write(shell, 'no', safe(two, { verdict: 'unsafe', seq: 2, severity: 'high', report: 'https://hub.example/7' }))
  const vetoed = await asked(shell, 'two', 'no')
  expect(vetoed.verdict).toMatchObject({ run: false, redirect: false })
  expect(JSON.stringify(vetoed.verdict)).toContain('unsafe (severity high): https://hub.example/7')
})

test('policy test: a chain of delegations lets the author in, stapled or from a file', async ({ shell }) => {
  const [root, between, author] = [newSigner(), newSigner(), newSigner()]
  write(shell, 'c.json', { ...FITS, TRUST_TREE: { ROOTS: { [textOf(root)]: { DEPTH: 2 } } } })
  const upper = delegationBy(root, between, { clock }, { depth: 1 })
  announced(shell, author, { credentials: [delegationBy(between, author, { clock })] })
  const alone = await asked(shell)
  expect(alone.verdict).toMatchObject({ run: false, park: [{ on: 'delegation', author: textOf(author) }] })
  write(shell, 'chain', upper)
  expect((await asked(shell, 'chain')).verdict.run).not.toBe(false)
  announced(shell, author, { credentials: [upper, delegationBy(between, author, { clock })] })
  expect((await asked(shell)).verdict.run).not.toBe(false)
})

test('policy test: what counts for nothing is shown, and why', async ({ shell }) => {
  const [author, hub] = [newSigner(), newSigner()]
  const members = newMembersHub()
  write(shell, 'c.json', { ...FITS, TRUSTED_HUBS: { [textOf(hub)]: {}, [members.text]: {} } })
  announced(shell, author)
  write(shell, 'stranger', safe(newSigner()))
  write(shell, 'expired', safe(hub, { issued: 1_700_000_000, expires: 1_700_000_100 }))
  write(shell, 'members', members.says('safe', ANNOUNCED_CODE))
  const { assumed, facts } = await asked(shell, 'stranger', 'expired', 'members')
  expect(facts).toMatchObject({ attestations: [] })
  expect(assumed.filter((words) => words.includes('is not used'))).toEqual([
    'stranger is not used: its signer is no hub of the candidate, and no root vouches for it',
    expect.stringMatching(/^expired is not used: it has expired/),
    expect.stringMatching(/^members is not used: .*members are not pinned/),
  ])
  write(shell, 'c.json', { ...FITS, TRUSTED_HUBS: { [members.text]: members.pinned } })
  expect((await asked(shell, 'members')).verdict.run).not.toBe(false)
})

const forged = (hub: Signer) => safe(hub).map((byte, at) => (at === 20 ? byte ^ 1 : byte))
const foreign = (hub: Signer) => attestationBy(hub, { clock, network: 'other' }, { code })
test.for<[string, (hub: Signer) => Uint8Array | string, RegExp]>([
  ['forged', forged, /^x is forged, or of another network: sig: is not the attestation/],
  ['of another network', foreign, /^x is forged, or of another/],
  ['no statement', () => 'hello', /^--statements x, line 1 is /],
  ['not there', () => '', /^--statements x is not there/],
])('policy test: a file that is %s is one sentence', async ([_what, make, sentence], { shell }) => {
  const hub = newSigner()
  write(shell, 'c.json', { ...FITS, TRUSTED_HUBS: { [textOf(hub)]: {} } })
  announced(shell, newSigner())
  const content = make(hub)
  if (content !== '') write(shell, 'x', content)
  await shell.refused('policy test c.json --service s.cbor --network test --statements x', sentence)
})

test('policy test: knows what the journal keeps, for hubs of the candidate alone', async ({ shell }) => {
  const [author, hub] = [newSigner(), newSigner()]
  const { dir } = await folderWithJournal(shell, 1, FITS)
  const members = newMembersHub()
  keep(dir, safe(hub), members.by(2).says('safe', ANNOUNCED_CODE))
  announced(shell, author)
  const verdictWith = async (TRUSTED_HUBS: object) => {
    write(shell, 'c.json', { ...FITS, TRUSTED_HUBS })
    return (await asked(shell)).verdict.run !== false
  }
  expect(await verdictWith({ [textOf(hub)]: {} })).toBe(true)
  expect(await verdictWith({ [textOf(newSigner())]: {} })).toBe(false)
  expect(await verdictWith({ [members.text]: { ...members.pinned, THRESHOLD: 2 } })).toBe(true)
  // kept under a policy that took two; this one wants three
  expect(await verdictWith({ [members.text]: members.pinned })).toBe(false)
  writeFileSync(join(dir, 'data/journal.sqlite'), 'x'.repeat(10_000))
  write(shell, 'c.json', { ...FITS, TRUSTED_HUBS: { [textOf(hub)]: {} } })
  const { stderr, code: status } = await shell.run('policy test c.json --service s.cbor --executors host')
  expect(status).toBe(0)
  expect(stderr).toContain('Statements of hubs and roots in the journal are not used')
})

const replayed = async (shell: Shell, config: object) => {
  write(shell, 'c.json', config)
  const { values, code: status, stderr } = await shell.json('policy replay c.json --executors host')
  expect([status, stderr]).toEqual([0, ''])
  return values as { event: string; name: string; from: string; to: string; changed: number }[]
}

test('policy replay: each policy believes its own hubs and roots, when a service came', async ({ shell }) => {
  const [hub, root] = [newSigner(), newSigner()]
  // received four hours ago, three, two, one, and now
  const { dir, config, signer } = await folderWithJournal(shell, 5, { ...FITS, TRUST_TREE: { ROOTS: {} } })
  const inForce = JSON.parse(readFileSync(config, 'utf8')) as object
  const since = Math.floor(Date.now() / 1000) - 2.5 * 3600
  const time = { issued: since, expires: since + 86_400 }
  keep(dir, safe(hub, time), delegationBy(root, signer, { clock }, { ...time, expires: since + 3600 }))
  const names = (values: Awaited<ReturnType<typeof replayed>>, to: string) =>
    values.filter((value) => value.event === 'change' && value.to === to).map(({ name }) => name)

  const trusting = await replayed(shell, { ...inForce, TRUSTED_HUBS: { [textOf(hub)]: {} } })
  expect(names(trusting, 'run')).toEqual(['name-2', 'name-3', 'name-4'])
  expect(names(trusting, 'parked')).toEqual(['name-0', 'name-1'])
  const rooted = await replayed(shell, { ...inForce, TRUST_TREE: { ROOTS: { [textOf(root)]: { DEPTH: 1 } } } })
  expect(names(rooted, 'run')).toEqual(['name-2'])
  expect(names(rooted, 'parked')).toEqual(['name-0', 'name-1', 'name-3', 'name-4'])
  const other = await replayed(shell, { ...inForce, TRUSTED_HUBS: { [textOf(newSigner())]: {} } })
  expect(names(other, 'parked')).toHaveLength(5)
})
