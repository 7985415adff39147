import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { formatAddress } from '../../../protocols/address.ts'
import { createKeyCache } from '../../../protocols/signature.ts'
import { decodeStatement, signerOf, verifyStatement } from '../../../protocols/statement.ts'
import { manualClock, systemClock } from '../../../src/base/clock.ts'
import { NotFoundError } from '../../../src/base/errors.ts'
import { newSigner } from '../../fixtures/node/fake-node.ts'
import { test as base, withPeers } from '../../fixtures/program/shell.ts'
import { attestationBy, delegationBy, SOME_CODE } from '../../fixtures/trust/statements.ts'

const HELLO = fileURLToPath(new URL('../../../configs/examples/hello-web', import.meta.url))
const PEER = '/ip4/127.0.0.1/tcp/1/p2p/12D3KooWBNxKKd8uUziV6qJZMjT5CWRjWcW7kfDrGPbDerRCEY1a'
const now = { clock: systemClock() }

/** A node whose own key is the one in its folder, as a real one's is. */
const test = base.extend('owner', async ({ withNode }) => {
  const own = (await withNode.json(`hub attest ${SOME_CODE} --safe --offline --out own`)).values
  return { ...withNode, folder: own[0]?.signer as string }
})

test("trust delegate, revoke: signed with the folder's key, published; the number rises", async ({ owner: shell }) => {
  const friend = formatAddress(newSigner().address)
  const clock = manualClock(Date.now())
  const made = await shell.json(`trust delegate ${friend} --depth 2 --until 90d --out friend`, { clock })
  const publishedEvent = { event: 'published', kind: 'delegation', signer: shell.folder }
  expect([made.code, made.values[0]]).toMatchObject([0, publishedEvent])
  const revoked = await shell.run(`trust revoke ${friend}`, { clock })
  expect([revoked.code, revoked.stdout]).toEqual([0, expect.stringContaining(`no longer vouches for ${friend}`)])
  const [first, second] = shell.node.trust.published.map((encoded) => decodeStatement(encoded))
  if (first?.kind !== 'delegation' || second?.kind !== 'delegation') throw new Error('no delegations')
  verifyStatement(first, 'test', createKeyCache())
  expect(first.body).toMatchObject({ depth: 2 })
  expect(first.body.expires - first.body.issued).toBe(90 * 86_400)
  expect(second.body).toMatchObject({ revoked: true, depth: 0 })
  expect(second.body.expires - second.body.issued).toBe(366 * 86_400)
  expect(second.body.seq).toBeGreaterThan(first.body.seq)
  expect(decodeStatement(readFileSync(shell.path('friend'))).body).toEqual(first.body)
})

test('trust delegate: says what would start and stop, asks a person where there is one', async ({ owner: shell }) => {
  const friend = formatAddress(newSigner().address)
  const change = { id: SOME_CODE.toString(), name: 'waits', author: friend, reasons: [] }
  shell.node.changes = [{ ...change, from: 'redirected', to: 'run' }]
  const no = await shell.run(`trust delegate ${friend}`, { answer: 'n\n' })
  expect(no.stderr).toMatch(
    /waits +redirected +run[\s\S]*Would start: "waits"\.\nPublish it\? \[y\/N\] [\s\S]*Nothing was changed/,
  )
  expect([no.code, shell.node.trust.published]).toEqual([1, []])
  const yes = await shell.run(`trust delegate ${friend}`, { answer: 'y\n' })
  expect([yes.code, shell.node.trust.published.length]).toEqual([0, 1])
  const script = await shell.json(`trust revoke ${friend}`)
  expect([script.code, script.values[0]]).toMatchObject([0, { preview: shell.node.changes, more: 0 }])
  const sure = await shell.run(`trust delegate ${friend} --yes`, { answer: 'n\n' })
  expect([sure.code, sure.stderr]).toEqual([0, expect.not.stringContaining('[y/N]')])
  // nothing to agree to
  shell.node.changes = []
  const idle = await shell.run(`trust delegate ${friend}`, { answer: 'n\n' })
  expect([idle.code, idle.stderr]).toEqual([0, expect.stringContaining('Nothing would change.\n')])
  // a node of the version before does not know the question
  shell.node.previewStatement = () => Promise.reject(new NotFoundError('there is nothing here'))
  const older = await shell.run(`trust delegate ${friend}`)
  expect([older.code, older.stderr]).toEqual([0, expect.stringContaining('could not be found out: there is nothing')])
})

test('trust delegate: says so where the word changes nothing here', async ({ owner: shell }) => {
  const friend = newSigner()
  const made = await shell.run(['trust', 'delegate', formatAddress(friend.address)])
  expect(made.stderr).toContain("Note: it is not in this node's trust tree yet: no root vouches")
  await shell.node.submitStatement(delegationBy(shell.node.signer, friend, now), { asPublisher: true })
  const revoked = await shell.run(['trust', 'revoke', formatAddress(friend.address)])
  expect(revoked.stderr).toContain("Note: it is still in this node's trust tree")
})

test('trust delegate: without a node, a light peer tells it to the mesh', async ({ shell }) => {
  const { peers, factories } = withPeers()
  await shell.run('hub keygen --out root.pem')
  const friend = formatAddress(newSigner().address)
  const line = `trust delegate ${friend} --key root.pem --join ${PEER} --network test`
  const { code, values } = await shell.json(line, { factories })
  expect([code, values[0]]).toMatchObject([0, { event: 'published', records: 1 }])
  expect(peers.map(({ disposed, init }) => [disposed, init.network, init.join])).toEqual([[true, 'test', [PEER]]])
  const statement = decodeStatement(peers[0]?.statements[0] as Uint8Array)
  verifyStatement(statement, 'test', createKeyCache())
  expect(formatAddress(signerOf(statement))).toBe(values[0]?.signer)
})

test.for<[string, RegExp]>([
  ['delegate nobody', /^ADDRESS: "nobody" is not/],
  ['revoke nobody', /^ADDRESS: "nobody" is not/],
  ['delegate FRIEND --depth 17', /^--depth is "17"; allowed is a whole number from 0 to 16/],
  ['delegate FRIEND --until 2y', /^--until is "2y"/],
  ['delegate OWN', /^ADDRESS is the address of the signing key/],
  [`delegate FRIEND --offline --join ${PEER} --out x`, /^--offline contradicts --join/],
])('trust delegate: %s is explained in one sentence', async ([line, sentence], { owner: shell }) => {
  const named = line.replace('OWN', shell.folder).replace('FRIEND', formatAddress(newSigner().address))
  await shell.refused(`trust ${named}`, sentence)
  expect(shell.node.trust.published).toEqual([])
})

test('trust tree: draws who vouches for whom, and what is idle and why', async ({ withNode: shell }) => {
  const [a, b, c, d] = [newSigner(), newSigner(), newSigner(), newSigner()]
  const put = (encoded: Uint8Array) => shell.node.submitStatement(encoded, { asPublisher: true })
  await put(delegationBy(shell.node.signer, a, now, { depth: 1 }))
  await put(delegationBy(a, b, now))
  await put(delegationBy(a, c, now, { revoked: true }))
  await put(delegationBy(shell.node.signer, d, now))
  const [A, B, C, D] = [a, b, c, d].map(({ address }) => formatAddress(address))
  const { stdout, code } = await shell.run('trust tree')
  expect(code).toBe(0)
  const lines = stdout.trim().split('\n')
  expect(lines[0]).toBe(`${shell.node.address}  (root, depth 17)`)
  const time = '\\d{4}-\\d{2}-\\d{2} \\d{2}:\\d{2} UTC, in (59m \\d+s|1h 0m)'
  expect(lines[1]).toMatch(new RegExp(`^├─ ${A} {2}\\(until ${time}, depth 1\\)`))
  expect(lines[2]).toMatch(new RegExp(`^│ {2}├─ ${B} `))
  expect(lines[3]).toBe(`│  └─ ${C}  (idle: revoked)`)
  expect(lines[4]).toMatch(new RegExp(`^└─ ${D} .*depth 0\\)$`))
  expect((await shell.json('trust tree')).values[0]).toEqual(JSON.parse(JSON.stringify(shell.node.trustTree())))
})

test('trust tree: with an address it says why, and its exit code says in or out', async ({ withNode: shell }) => {
  const friend = newSigner()
  await shell.node.submitStatement(delegationBy(shell.node.signer, friend, now), { asPublisher: true })
  const inside = await shell.run(['trust', 'tree', formatAddress(friend.address)])
  expect([inside.code, inside.stderr]).toEqual([0, ''])
  expect(inside.stdout.split('\n').map((line) => line.trim())).toEqual([
    expect.stringMatching(/^In: /),
    shell.node.address,
    formatAddress(friend.address),
    '',
  ])
  const stranger = formatAddress(newSigner().address)
  const outside = await shell.run(`trust tree ${stranger}`)
  expect([outside.code, outside.stdout, outside.stderr]).toEqual([1, '', `Out: no root vouches for ${stranger}\n`])
  const json = await shell.json(`trust tree ${stranger}`)
  expect([json.code, json.values[0]]).toMatchObject([1, { asked: { in: false } }])
  await shell.refused('trust tree nobody', '"nobody" is not')
})

test('trust statements: lists what is known, and with --lookup what the mesh knows', async ({ withNode: shell }) => {
  const hub = newSigner()
  const address = formatAddress(hub.address)
  shell.node.trust.trustedHubs.add(address)
  shell.node.trust.records.push(attestationBy(hub, now, { verdict: 'unsafe', severity: 'high' }))
  const line = `trust statements --code ${SOME_CODE}`
  expect((await shell.run(line)).stdout).toBe('No statement of that kind is known here.\n')
  const found = await shell.run(`${line} --lookup`)
  expect(found.stdout).toMatch(new RegExp(`${address} +yes +unsafe \\(high\\) +${SOME_CODE} .* record`))
  expect((await shell.json(`trust statements --hub ${address}`)).values[0]).toMatchObject([{ verdict: 'unsafe' }])
  expect((await shell.json(`trust statements --hub ${shell.node.address}`)).values[0]).toEqual([])
  await shell.refused('trust statements --lookup', 'name it with --code or --address')
})

test('publish --staple: puts statements where they belong, those of the manifest as well', async ({ owner: shell }) => {
  cpSync(HELLO, shell.path('hello'), { recursive: true })
  const friend = formatAddress(newSigner().address)
  await shell.run(`trust delegate ${friend} --out friend.statement`)
  await shell.run(`hub freeze ${friend} --chain btc --amount 1 --out freeze.statement`)
  const manifest = readFileSync(shell.path('hello/service.json'), 'utf8')
  writeFileSync(shell.path('hello/service.json'), manifest.replace('{', '{ "staple": ["../freeze.statement"],'))
  const { code, stderr } = await shell.json('publish hello --staple own --staple friend.statement')
  expect([code, stderr]).toEqual([0, ''])
  const stray = await shell.run('update hello --staple own')
  expect(stray.stderr).toContain(`Note: a stapled attestation is about the code ${SOME_CODE}, but`)
  const { signed } = shell.node.announcements[0] as (typeof shell.node.announcements)[number]
  if (signed.kind !== 'service') throw new Error('no service')
  const kinds = (list: readonly Uint8Array[]) => list.map((encoded) => decodeStatement(encoded).kind)
  expect(kinds(signed.body.statements)).toEqual(['freeze', 'attestation'])
  expect(kinds(signed.body.credentials)).toEqual(['delegation'])
  const own = readFileSync(shell.path('own')).toString('base64')
  writeFileSync(shell.path('many'), Array(9).fill(own).join('\n'))
  await shell.refused('update hello --staple many', '10 hub statements are stapled; at most 8')
  await shell.refused('update hello --staple nowhere', /^--staple nowhere is not there/)
  writeFileSync(shell.path('old'), attestationBy(newSigner(), now, { issued: 1, expires: 2 }))
  await shell.refused('update hello --staple old', /^--staple old has expired/)
})
