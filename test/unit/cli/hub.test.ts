import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { expect } from 'vitest'
import { formatAddress, parseAddress } from '../../../protocols/address.ts'
import { blsSigner, createKeyCache, type KeyCache } from '../../../protocols/signature.ts'
import { decodeStatement, signerOf, verifyStatement } from '../../../protocols/statement.ts'
import { manualClock, nowSeconds, systemClock } from '../../../src/base/clock.ts'
import { loadHubFile, readPolicyText } from '../../../src/config/index.ts'
import { announcementOf, newSigner } from '../../fixtures/node/fake-node.ts'
import { test as base, type Shell } from '../../fixtures/program/shell.ts'
import { SOME_CODE } from '../../fixtures/trust/statements.ts'

const CODE = SOME_CODE.toString()
const keys: KeyCache = createKeyCache()

/** A hub of three in ./hub, of whom two must sign. */
const test = base.extend('hub', async ({ withNode }) => {
  const made = await withNode.json('hub keygen --bls --members 3 --threshold 2')
  expect([made.code, made.stderr]).toEqual([0, ''])
  const hub = await loadHubFile(withNode.path('hub/hub.public.json'), 'hub.public.json', keys)
  return { ...withNode, hub, made: made.values[0] as Record<string, unknown> }
})

function json(shell: Shell, file: string): Record<string, unknown> {
  return JSON.parse(readFileSync(shell.path(file), 'utf8')) as Record<string, unknown>
}

test("hub attest: signs with the node's key, publishes, writes, and numbers upwards", async ({ withNode: shell }) => {
  const clock = manualClock(Date.now())
  const attest = `hub attest ${CODE} --unsafe --severity high --report https://hub.example/7`
  const { code, values, stderr } = await shell.json(`${attest} --until 2d --out a.statement`, { clock })
  expect([code, stderr]).toEqual([0, ''])
  const [encoded] = shell.node.trust.published as [Uint8Array]
  expect(readFileSync(shell.path('a.statement'))).toEqual(Buffer.from(encoded))
  const statement = decodeStatement(encoded)
  verifyStatement(statement, 'test', keys)
  const { body } = statement
  expect(body).toMatchObject({ verdict: 'unsafe', severity: 'high', report: 'https://hub.example/7' })
  expect(body.expires - body.issued).toBe(2 * 86_400)
  expect(values).toMatchObject([
    { event: 'published', kind: 'attestation', seq: body.seq, file: shell.path('a.statement') },
  ])
  expect(body.seq).toBe(nowSeconds(clock))
  // within the same second: the number still rises
  const again = await shell.json(`hub attest ${CODE} --safe --key operator/identity.pem`, { clock })
  expect(again.values[0]?.seq).toBeGreaterThan(body.seq)
  await shell.refused(`hub attest ${CODE} --safe --seq ${body.seq}`, /^--seq is \d+; it must be above \d+/, {
    lines: 2,
  })
  expect((await shell.run(`trust statements --code ${CODE}`)).stdout).toContain('safe')
})

test("hub attest: takes a service's name or id for its code, and says so", async ({ withNode: shell }) => {
  const { bytes, id, announcement } = announcementOf(newSigner(), { clock: systemClock() })
  await shell.node.receive(bytes)
  const { signed } = announcement
  const code = signed.kind === 'service' ? signed.body.code.toString() : ''
  for (const named of ['hello', id, id.slice(0, 12), code]) {
    const { code: exit, stderr } = await shell.run(`hub attest ${named} --safe`)
    expect(exit).toBe(0)
    expect(stderr).toContain(named === code ? 'It is the code of "hello".' : '"hello" (seq 0) has the code')
  }
  expect(shell.node.trust.published.map((encoded) => decodeStatement(encoded).body)).toEqual(
    Array(4).fill(expect.objectContaining({ code: signed.kind === 'service' && signed.body.code })),
  )
  // another service's id, for instance
  expect((await shell.run(`hub attest ${CODE} --safe`)).stderr).toContain('no service that the node knows')
  await shell.refused('hub attest nothing --safe', /"nothing" is no content id .* no service of/)
})

test('hub attest: with a whole BLS key the hub is that key; offline nobody is asked', async ({ shell }) => {
  await shell.run('hub keygen --bls --network test --out k.json')
  const attest = `hub attest ${CODE} --safe --key k.json --offline --network test`
  const { code, values } = await shell.json(`${attest} --out k.statement`)
  expect([code, values[0]]).toMatchObject([0, { event: 'written', signer: json(shell, 'k.json').address }])
  verifyStatement(decodeStatement(readFileSync(shell.path('k.statement'))), 'test', keys)
  writeFileSync(shell.path('mine.txt'), 'mine')
  await shell.refused(`${attest} --out mine.txt`, 'is no statement; it is not overwritten')
  expect(readFileSync(shell.path('mine.txt'), 'utf8')).toBe('mine')
})

test("hub attest: hub.json names the hub's key; delegations are the node's own word", async ({ withNode: shell }) => {
  const made = (await shell.json('hub keygen --out operator/hub.pem')).values[0]
  writeFileSync(shell.path('operator/hub.json'), '{ "KEY": "hub.pem" }')
  const attested = await shell.json(`hub attest ${CODE} --safe`)
  expect(attested.values[0]?.signer).toBe(made?.address)
  const friend = formatAddress(newSigner().address)
  const delegated = await shell.json(`trust delegate ${friend}`)
  expect(delegated.values[0]?.signer).not.toBe(made?.address)
  writeFileSync(shell.path('operator/hub.json'), '{ "KEYS": "hub.pem" }')
  await shell.refused(`hub attest ${CODE} --safe`, /^hub\.json: KEYS .*KEY/)
})

test.for<[string, RegExp]>([
  ['', /--safe or --unsafe/],
  [' --safe --unsafe', /--safe contradicts --unsafe/],
  [' --safe --severity low', /--severity goes with --unsafe/],
  [' --unsafe --severity awful', /--severity is "awful"; allowed is low, medium, high or critical/],
  [' --safe --until soon', /--until is "soon"; allowed is a time like "90d"/],
  [' --safe --until 2020-01-31', /which is past/],
  [' --safe --until 2031-02-30', /--until is "2031-02-30"; allowed/],
  [' --safe --until 367d', /too far away; .*366 days/],
  [' --safe --report javascript:alert(1)', /--report/],
  [' --safe --key nowhere.pem', /--key nowhere\.pem is not there/],
  [' --safe --offline', /--offline only writes a file; name it with --out/],
  [' --safe --network x', /--network goes with --join or --offline/],
  [' --safe --hub operator/node.json --out d', /is no public hub file/],
])('hub attest: hub attest CODE%s is explained in one sentence', async ([options, sentence], { withNode: shell }) => {
  const { code, stdout, stderr } = await shell.run(`hub attest ${CODE}${options}`)
  expect([code, stdout, stderr.trim().split('\n').at(-1)]).toEqual([2, '', expect.stringMatching(sentence)])
  expect(shell.node.trust.published).toEqual([])
})

test('a key that others can read is refused, and no part of a wrong one is shown', async ({ withNode: shell }) => {
  writeFileSync(shell.path('open.pem'), readFileSync(shell.path('operator/identity.pem')), { mode: 0o644 })
  await shell.refused(`hub attest ${CODE} --safe --key open.pem`, 'can be read by others')
  writeFileSync(shell.path('bad.json'), '{"type":"bls12-381","secret":"0xsecretsecret"}', { mode: 0o600 })
  const bad = await shell.run(`hub attest ${CODE} --safe --key bad.json`)
  expect([bad.code, bad.stderr]).toEqual([2, expect.not.stringContaining('secretsecret')])
})

test('hub freeze: spells the chain as policies do, and numbers each chain by itself', async ({ withNode: shell }) => {
  const whose = formatAddress(newSigner().address)
  const symbiote = newSigner().address
  const freeze = (more: string) => shell.run(`hub freeze ${whose}${more}`)
  expect((await freeze(' --chain BTC --amount 10 --seq 9')).stdout).toContain(`10 of ${whose} are frozen on btc`)
  expect((await freeze(` --chain ed25519:${formatAddress(symbiote)} --amount 0.5 --seq 1`)).code).toBe(0)
  expect((await freeze(' --chain btc --amount 1 --seq 9')).stderr).toContain('must be above 9')
  const bodies = shell.node.trust.published.map((encoded) => decodeStatement(encoded).body)
  expect(bodies).toMatchObject([
    { chain: 'btc', amount: '10' },
    { chain: formatAddress(symbiote), amount: '0.5' },
  ])
  expect((await freeze(' --amount 1')).stderr).toContain('--chain is missing')
  expect((await freeze(' --chain btc')).stderr).toContain('--amount is missing')
  expect((await freeze(' --chain btc --amount 1e5')).stderr).toMatch(/^--amount must be a decimal number/)
  await shell.refused('hub freeze nobody --chain btc --amount 1', /^ADDRESS: "nobody" is not/)
  expect(parseAddress(whose)).toBeDefined()
})

const DRAFT = `hub attest ${CODE} --safe --hub hub/hub.public.json --out draft.json`

test('hub keygen: makes an ed25519 key that only its owner reads, and never over another', async ({ shell }) => {
  const { code, stdout } = await shell.run('hub keygen')
  expect([code, stdout]).toEqual([0, expect.stringContaining('"TRUSTED_HUBS": {')])
  expect(statSync(shell.path('hub.pem')).mode & 0o777).toBe(0o600)
  const before = readFileSync(shell.path('hub.pem'), 'utf8')
  await shell.refused('hub keygen', 'hub.pem is there already')
  expect(readFileSync(shell.path('hub.pem'), 'utf8')).toBe(before)
})

test('hub keygen: makes a BLS key with its proof for one network, and a public part', async ({ shell }) => {
  const { values } = await shell.json('hub keygen --bls --network test --out a.json')
  const key = json(shell, 'a.json') as Record<string, string>
  expect(statSync(shell.path('a.json')).mode & 0o777).toBe(0o600)
  expect(key).toMatchObject({ type: 'bls12-381', network: 'test' })
  const signer = blsSigner(Buffer.from((key.secret as string).slice(2), 'hex'))
  expect([key.address, values[0]?.address]).toEqual(Array(2).fill(formatAddress(signer.address)))
  const shown = json(shell, 'a.public.json')
  expect(shown).toEqual({ type: 'hub-member', network: 'test', address: key.address, proof: key.proof })
  const again = await shell.run('hub keygen --bls --out a.json')
  expect([again.code, json(shell, 'a.json')]).toEqual([2, key])
})

test('hub keygen: makes a whole hub, and what it prints is what a policy takes', async ({ hub: shell }) => {
  expect(shell.made).toMatchObject({ hub: formatAddress(shell.hub.hub), threshold: 2, network: 'test' })
  const printed = await shell.run('hub keygen --bls --members 2 --threshold 1 --out other')
  const snippet = printed.stdout.slice(printed.stdout.indexOf('  "TRUSTED_HUBS"'))
  const { config } = readPolicyText(`{${snippet}}`).policy
  const other = await loadHubFile(shell.path('other/hub.public.json'), 'hub.public.json', keys)
  expect(config.TRUSTED_HUBS[formatAddress(other.hub)]).toMatchObject({ THRESHOLD: 1 })
  for (const name of ['member-1', 'member-2', 'member-3']) {
    expect(statSync(shell.path(`hub/${name}.json`)).mode & 0o777).toBe(0o600)
  }
  await shell.refused('hub keygen --bls --members 3 --threshold 2', 'is there already')
})

test.for<[string, RegExp]>([
  ['--members 3 --threshold 2', /--members goes with --bls/],
  ['--bls --members 3', /--members and --threshold go together/],
  ['--bls --members 3 --threshold 4', /--threshold is 4, but there are 3 members/],
  ['--bls --network No_Network', /network/],
])('hub keygen: %s is explained, and makes nothing', async ([options, sentence], { shell }) => {
  await shell.refused(`hub keygen ${options} --out x`, sentence)
  expect(() => statSync(shell.path('x'))).toThrow()
})

test('hub members: joins keys that were made apart, and names what is wrong', async ({ shell }) => {
  for (const name of ['a', 'b']) await shell.run(`hub keygen --bls --network test --out ${name}.json`)
  await shell.run('hub keygen --bls --network other --out c.json')
  const parts = 'a.public.json b.public.json'
  const { code, values } = await shell.json(`hub members ${parts} --threshold 2`)
  expect(code).toBe(0)
  const hub = await loadHubFile(shell.path('hub.public.json'), 'hub.public.json', keys)
  expect(values[0]).toMatchObject({ hub: formatAddress(hub.hub), members: hub.members.map(formatAddress) })

  const swapped = { ...json(shell, 'a.public.json'), proof: json(shell, 'b.public.json').proof }
  writeFileSync(shell.path('forged.json'), JSON.stringify(swapped))
  for (const [named, sentence] of [
    ['b.public.json forged.json --threshold 2', /^forged\.json: its proof of possession is invalid/],
    ['a.json --threshold 1', 'holds a secret key'],
    [`${parts} c.public.json --threshold 2`, 'c.public.json is for network "other"'],
    [`${parts} a.public.json --threshold 2`, 'name each once'],
    [`${parts} --threshold 3`, '2 members were named'],
    [parts, '--threshold is missing'],
  ] as const)
    await shell.refused(`hub members ${named} --out x.json`, sentence)
})

test('several members: sign apart; one combines what is enough, and publishes it', async ({ hub: shell }) => {
  expect((await shell.json(DRAFT)).values).toMatchObject([{ event: 'drafted', threshold: 2, members: 3 }])
  expect(shell.node.trust.published).toEqual([])
  const first = await shell.run('hub sign draft.json --key hub/member-1.json --out 1.part')
  expect([first.code, first.stderr]).toEqual([
    0,
    expect.stringMatching(/^To sign for network "test": hub \S+ calls code \S+ safe, until/),
  ])
  const second = await shell.json('hub sign draft.json --key hub/member-3.json')
  const other = second.values[0]?.file as string
  expect(other).toMatch(/draft\.\w{8}\.part$/)
  const combine = `hub combine draft.json 1.part ${other} --hub hub/hub.public.json`
  const { code, values } = await shell.json(`${combine} --publish --out hub.statement`)
  expect([code, values[0]]).toMatchObject([0, { event: 'published', signer: formatAddress(shell.hub.hub) }])
  const statement = decodeStatement(shell.node.trust.published[0] as Uint8Array)
  expect(statement.signers?.byteLength).toBe(1)
  verifyStatement(statement, 'test', keys, shell.hub)
  expect(() => verifyStatement(statement, 'test', keys)).toThrow(/not pinned/)
  // published from its file, also by a light peer
  expect((await shell.json('hub publish hub.statement')).values[0]).toMatchObject({ event: 'published' })
  expect(shell.node.trust.published).toHaveLength(2)
})

test('several members: all of them sign as the hub itself; nobody needs to know of them', async ({ hub: shell }) => {
  await shell.json(DRAFT)
  for (const number of [1, 2, 3])
    await shell.run(`hub sign draft.json --key hub/member-${number}.json --out ${number}.part`)
  await shell.run('hub combine draft.json 1.part 2.part 3.part --hub hub/hub.public.json --out all.statement')
  const statement = decodeStatement(readFileSync(shell.path('all.statement')))
  expect(statement.signers).toBeUndefined()
  expect(signerOf(statement)).toEqual(shell.hub.hub)
  verifyStatement(statement, 'test', keys)
})

test('several members: what does not fit is named', async ({ hub: shell }) => {
  await shell.json(DRAFT)
  await shell.run(`hub attest ${CODE} --unsafe --hub hub/hub.public.json --out other.json`)
  await shell.run('hub keygen --bls --out stranger.json')
  const sign = (draft: string, key: string, out: string) => shell.run(`hub sign ${draft} --key ${key} --out ${out}`)
  await sign('draft.json', 'hub/member-1.json', '1.part')
  await sign('other.json', 'hub/member-2.json', 'other.part')
  await sign('draft.json', 'stranger.json', 'stranger.part')
  const forged = { ...json(shell, '1.part'), member: json(shell, 'hub/member-2.json').address }
  writeFileSync(shell.path('forged.part'), JSON.stringify(forged))
  writeFileSync(shell.path('foreign.part'), JSON.stringify({ ...json(shell, '1.part'), network: 'other' }))
  const refused = (parts: string, sentence: RegExp, hub = 'hub/hub.public.json', to = ' --out x') =>
    shell.refused(`hub combine draft.json ${parts} --hub ${hub}${to}`, sentence)
  await refused('1.part', /^1 of 3 members have signed; 2 must/)
  await refused('1.part 1.part', /^1 of 3 members have signed; 2 must/)
  await refused('1.part other.part', /^other\.part is the signature of another draft/)
  await refused('1.part stranger.part', /^stranger\.part is of \w+, which is no member of the hub/)
  await refused('1.part forged.part', /^forged\.part is not the signature of \w+ for this draft/)
  await refused('1.part foreign.part', /^foreign\.part was signed for network "other"/)
  await refused('draft.json', /^draft\.json is no member's part/)
  await refused('1.part', /say what becomes of the statement/, 'hub/hub.public.json', '')
  await shell.run('hub keygen --bls --members 1 --threshold 1 --out small')
  await refused('1.part', /which is not the hub of small\/hub\.public\.json/, 'small/hub.public.json')
  const tampered = { ...json(shell, 'hub/hub.public.json'), threshold: 7 }
  writeFileSync(shell.path('tampered.json'), JSON.stringify(tampered))
  await refused('1.part', /^tampered\.json: threshold/, 'tampered.json')
  expect((await sign('draft.json', 'operator/identity.pem', 'x.part')).stderr).toContain('is an ed25519 key')
  expect(shell.node.trust.published).toEqual([])
})

test('a draft ends; a draft takes no key; a hub of another network is refused', async ({ hub: shell }) => {
  await shell.json(`${DRAFT} --until 1h`)
  const later = manualClock(systemClock().now() + 2 * 3_600_000)
  await shell.refused('hub sign draft.json --key hub/member-1.json', 'draft.json has expired', { clock: later })
  await shell.refused(DRAFT, 'is there already', { lines: 2 })
  expect((await shell.json(`${DRAFT} --key operator/identity.pem`)).stderr).toContain('--key contradicts --hub')
  await shell.run('hub keygen --bls --members 1 --threshold 1 --network b --out b')
  await shell.refused(`hub attest ${CODE} --safe --hub b/hub.public.json --out y.json`, 'but the node is in "test"')
})
