import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { base58btc } from 'multiformats/bases/base58'
import { afterAll, expect, it, test } from 'vitest'
import { addressBytes, formatAddress } from '../../../protocols/address.ts'
import { encodeAttestation } from '../../../protocols/attestation.ts'
import { cidOfBytes } from '../../../protocols/encoding.ts'
import { provePossession } from '../../../protocols/multisig.ts'
import { createKeyCache } from '../../../protocols/signature.ts'
import { encodeStatement, signStatement } from '../../../protocols/statement.ts'
import { blsSignerOf, hex, signerOf } from '../../../scripts/vectors/kit/kit.ts'
import { MEMBERS, ROOT } from '../../../scripts/vectors/kit/statement-kit.ts'
import { initFolder, loadConfiguration, membersOf, readPolicy } from '../../../src/config/index.ts'
import { readStatementFile } from '../../../src/config/statements/statement-file.ts'
import { folder, sentenceOf } from '../../fixtures/config/folder.ts'
import { newSigner } from '../../fixtures/mesh/announcement-of.ts'

const dir = mkdtempSync(join(tmpdir(), 'tc-r-statements-'))
afterAll(() => rmSync(dir, { recursive: true }))

function statement(seq: number): Uint8Array {
  const signer = newSigner()
  const [hub, code] = [addressBytes(signer.address), cidOfBytes(Buffer.from('code'))]
  const body = encodeAttestation({ v: 1, hub, code, verdict: 'safe', issued: 1, expires: 100, seq })
  return encodeStatement(signStatement(body, 'test', signer))
}

function written(content: string | Uint8Array): string {
  writeFileSync(join(dir, 'x'), content)
  return join(dir, 'x')
}

const [one, two] = [statement(1), statement(2)]

test('a file of statements: holds the bytes of one', async () => {
  expect(await readStatementFile(written(one))).toEqual([one])
})

test('a file of statements: or one a line, in either alphabet of base64', async () => {
  const text = `# of yesterday\n${Buffer.from(one).toString('base64')}\n\n  ${Buffer.from(two).toString('base64url')}\r\n`
  expect(await readStatementFile(written(text))).toEqual([one, two])
})

test.each<[string, string | Uint8Array, RegExp]>([
  ['nothing', '', /^it holds no statement; name a file/],
  ['a remark alone', '# x\n', /^it holds no statement/],
  ['JSON', '\n{"a":1}', /^it, line 2 is "\{\\"a\\":1\}", which is no base64; name a file/],
  ['some other base64', 'aGVsbG8=', /^it, line 1 is no statement: /],
  ['half of one', one.subarray(0, 60), /^it is no statement: /],
  ['too long a one', new Uint8Array(5000).fill(0xa2), /^it is no statement: .*4096/],
  [
    'a file of another kind',
    new Uint8Array(9 * 2 ** 20),
    /^it has 9437184 bytes; allowed are at most 8388608 \(8 MiB\)/,
  ],
])('a file of statements: is refused in one sentence where it holds %s', async (_what, content, sentence) => {
  const reading = readStatementFile(written(content), { file: 'it' })
  await expect(reading).rejects.toThrow(sentence)
  await expect(reading).rejects.toMatchObject({ name: 'InputError' })
})

test('a file of statements: that is not there, or a folder, is one sentence too', async () => {
  await expect(readStatementFile(join(dir, 'nowhere'), { file: 'it' })).rejects.toThrow(
    /^it is not there .*; name a file/,
  )
  await expect(readStatementFile(dir, { file: 'it' })).rejects.toThrow(/^it is a folder .*; name a file/)
})

const NETWORK = 'vectors'
const HUB = formatAddress(ROOT)
const ED25519 = formatAddress(signerOf('hub').address)
const FIRST = formatAddress((MEMBERS[0] as (typeof MEMBERS)[0]).address)

function proofs(network = NETWORK, signers = MEMBERS): Record<string, string> {
  return Object.fromEntries(
    signers.map((one) => [formatAddress(one.address), `0x${hex(provePossession(one, network))}`]),
  )
}

function policy(hub: object, name = HUB): object {
  return { TRUSTED_HUBS: { [name]: hub } }
}

it('the members of a hub: are pinned with their proofs, in either spelling, and come out in one', () => {
  const spelled = Object.fromEntries(
    MEMBERS.map((one) => [`0x${hex(one.address.key)}`, base58btc.baseEncode(provePossession(one, NETWORK))]),
  )
  const { config } = readPolicy(policy({ MEMBERS: spelled, THRESHOLD: 3 }), undefined, NETWORK).policy
  expect(config.TRUSTED_HUBS[HUB]).toEqual({ WEIGHT: 0, MEMBERS: proofs(), THRESHOLD: 3 })
  const pinned = membersOf(ROOT, config.TRUSTED_HUBS[HUB] ?? {}, NETWORK, createKeyCache())
  expect(pinned?.members).toHaveLength(4)
  expect(pinned?.threshold).toBe(3)
  expect(readPolicy(policy({ MEMBERS: proofs(), THRESHOLD: 3 })).policy.hash).toBe(
    readPolicy(policy({ MEMBERS: spelled, THRESHOLD: 3 })).policy.hash,
  )
})

const [first, others] = [{ [FIRST]: proofs()[FIRST] }, proofs()]
const many = Object.fromEntries(Array.from({ length: 257 }, (_, i) => [`a${i}`, others[FIRST]]))
const again = `0x${hex((MEMBERS[0] as (typeof MEMBERS)[0]).address.key)}`
it.each<[string, object, string]>([
  [
    'no threshold',
    { MEMBERS: others },
    'MEMBERS names 4, but there is no THRESHOLD that says how many of them must sign',
  ],
  ['no members', { THRESHOLD: 3 }, 'THRESHOLD is 3, but MEMBERS is missing'],
  ['a threshold that is never met', { MEMBERS: others, THRESHOLD: 5 }, 'THRESHOLD is 5, but MEMBERS names 4'],
  [
    'a list',
    { MEMBERS: [FIRST], THRESHOLD: 1 },
    `MEMBERS is ["${FIRST}"]; allowed is an object from address to proof of possession`,
  ],
  ['too many', { MEMBERS: many, THRESHOLD: 1 }, 'MEMBERS has 257 entries; allowed are at most 256'],
  [
    'an ed25519 member',
    { MEMBERS: { ...others, [ED25519]: others[FIRST] }, THRESHOLD: 1 },
    `MEMBERS.${ED25519} is an ed25519 address; members of a hub have BLS12-381 keys`,
  ],
  [
    'a short proof',
    { MEMBERS: { ...others, [FIRST]: '0x00' }, THRESHOLD: 1 },
    `MEMBERS.${FIRST} is "0x00"; allowed is a proof of possession: a signature of 96 bytes, as base58 or 0x and 192 hex digits`,
  ],
  [
    'one key twice',
    { MEMBERS: { ...first, [again]: others[FIRST] }, THRESHOLD: 1 },
    `MEMBERS["${again.slice(0, 76)}...] is another spelling of ${FIRST}, which is listed too; keep one of them`,
  ],
])('the members of a hub: are refused in one sentence: %s', (_name, hub, sentence) => {
  expect(sentenceOf(() => readPolicy(policy(hub)))).toBe(`config.json: TRUSTED_HUBS.${HUB}.${sentence}`)
})

it('the members of a hub: are refused beside an ed25519 hub', () => {
  expect(sentenceOf(() => readPolicy(policy({ MEMBERS: proofs(), THRESHOLD: 1 }, ED25519)))).toBe(
    `config.json: TRUSTED_HUBS.${ED25519}.MEMBERS does not fit an ed25519 address; only a BLS12-381 hub has members`,
  )
})

it.each<[string, object, RegExp]>([
  [
    'a proof made for another network',
    policy({ MEMBERS: { ...proofs(), [FIRST]: proofs('main')[FIRST] }, THRESHOLD: 3 }),
    /MEMBERS\.\w+ has a proof that does not hold: it must be this member's own signature of its address, made for network "vectors"$/,
  ],
  [
    'members of another hub',
    policy({ MEMBERS: proofs(NETWORK, MEMBERS.slice(1)), THRESHOLD: 2 }),
    /MEMBERS are not the members of \w+: their keys sum to another one$/,
  ],
  [
    'a member too many',
    policy({ MEMBERS: proofs(NETWORK, [...MEMBERS, blsSignerOf('stranger')]), THRESHOLD: 2 }),
    /their keys sum to another one$/,
  ],
])('the members of a hub: are refused where the network is known: %s', (_name, raw, sentence) => {
  expect(readPolicy(raw).notices.map(({ message }) => message)).toContain(
    'config.json: TRUSTED_HUBS has MEMBERS whose proofs were not checked: no node.json says for which network',
  )
  expect(sentenceOf(() => readPolicy(raw, undefined, NETWORK))).toMatch(sentence)
})

it("the members of a hub: are checked for node.json's network when a folder is loaded", async () => {
  await using dir = await folder()
  await initFolder(dir.in('node'))
  const file = dir.in('node', 'runners', 'andromeda', 'config.json')
  mkdirSync(dir.in('node', 'runners', 'andromeda'), { recursive: true })
  const node = JSON.parse(readFileSync(dir.in('node', 'node.json'), 'utf8').replace(/^\s*\/\/.*$/gm, ''))
  writeFileSync(file, JSON.stringify(policy({ MEMBERS: proofs(node.NETWORK), THRESHOLD: 3 })))
  const { configuration } = await loadConfiguration(dir.in('node'))
  expect(configuration.policy.config.TRUSTED_HUBS[HUB]?.THRESHOLD).toBe(3)
  writeFileSync(file, JSON.stringify(policy({ MEMBERS: proofs('elsewhere'), THRESHOLD: 3 })))
  await expect(loadConfiguration(dir.in('node'))).rejects.toThrow('has a proof that does not hold')
})
