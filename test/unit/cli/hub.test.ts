import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect } from 'vitest'
import { formatAddress, parseAddress } from '../../../protocols/address.ts'
import { createKeyCache, type KeyCache } from '../../../protocols/signature.ts'
import { decodeStatement, verifyStatement } from '../../../protocols/statement.ts'
import { manualClock, nowSeconds, systemClock } from '../../../src/base/clock.ts'
import { announcementOf, newSigner } from '../../fixtures/node/fake-node.ts'
import { type Shell, test } from '../../fixtures/program/shell.ts'
import { SOME_CODE } from '../../fixtures/trust/statements.ts'

const CODE = SOME_CODE.toString()
const keys: KeyCache = createKeyCache()

function json(shell: Shell, file: string): Record<string, unknown> {
  return JSON.parse(readFileSync(shell.path(file), 'utf8')) as Record<string, unknown>
}

describe('hub attest', () => {
  test("signs with the node's own key, publishes, writes it, and numbers above what stands", async ({
    withNode: shell,
  }) => {
    const clock = manualClock(Date.now())
    const attest = `hub attest ${CODE} --unsafe --severity high --report https://hub.example/7`
    const { code, values, stderr } = await shell.json(`${attest} --until 2d --out a.statement`, { clock })
    expect([code, stderr]).toEqual([0, ''])
    const [told] = shell.node.trust.told as [Uint8Array]
    expect(readFileSync(shell.path('a.statement'))).toEqual(Buffer.from(told))
    const statement = decodeStatement(told)
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

  test("takes a service's name or id for its code, and says so", async ({ withNode: shell }) => {
    const { bytes, id, announcement } = announcementOf(newSigner(), { clock: systemClock() })
    await shell.node.receive(bytes)
    const { signed } = announcement
    const code = signed.kind === 'service' ? signed.body.code.toString() : ''
    for (const named of ['hello', id, id.slice(0, 12), code]) {
      const { code: exit, stderr } = await shell.run(`hub attest ${named} --safe`)
      expect(exit).toBe(0)
      expect(stderr).toContain(named === code ? 'It is the code of "hello".' : '"hello" (seq 0) has the code')
    }
    expect(shell.node.trust.told.map((told) => decodeStatement(told).body)).toEqual(
      Array(4).fill(expect.objectContaining({ code: signed.kind === 'service' && signed.body.code })),
    )
    // another service's id, for instance
    expect((await shell.run(`hub attest ${CODE} --safe`)).stderr).toContain('no service that the node knows')
    await shell.refused('hub attest nothing --safe', /"nothing" is no content id .* no service of/)
  })

  test('with a whole BLS key the hub is that key; offline nobody is asked', async ({ shell }) => {
    await shell.run('hub keygen --bls --network test --out k.json')
    const attest = `hub attest ${CODE} --safe --key k.json --offline --network test`
    const { code, values } = await shell.json(`${attest} --out k.statement`)
    expect([code, values[0]]).toMatchObject([0, { event: 'written', signer: json(shell, 'k.json').address }])
    verifyStatement(decodeStatement(readFileSync(shell.path('k.statement'))), 'test', keys)
    writeFileSync(shell.path('mine.txt'), 'mine')
    await shell.refused(`${attest} --out mine.txt`, 'is no statement; it is not overwritten')
    expect(readFileSync(shell.path('mine.txt'), 'utf8')).toBe('mine')
  })

  test("the folder's hub.json names the key of its hub, as for `hub watch`; delegations are the node's own word", async ({
    withNode: shell,
  }) => {
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
  ])('hub attest CODE%s is explained in one sentence', async ([options, sentence], { withNode: shell }) => {
    const { code, stdout, stderr } = await shell.run(`hub attest ${CODE}${options}`)
    expect([code, stdout, stderr.trim().split('\n').at(-1)]).toEqual([2, '', expect.stringMatching(sentence)])
    expect(shell.node.trust.told).toEqual([])
  })

  test('a key that others can read is refused, and no part of a wrong one is shown', async ({ withNode: shell }) => {
    writeFileSync(shell.path('open.pem'), readFileSync(shell.path('operator/identity.pem')), { mode: 0o644 })
    await shell.refused(`hub attest ${CODE} --safe --key open.pem`, 'can be read by others')
    writeFileSync(shell.path('bad.json'), '{"type":"bls12-381","secret":"0xsecretsecret"}', { mode: 0o600 })
    const bad = await shell.run(`hub attest ${CODE} --safe --key bad.json`)
    expect([bad.code, bad.stderr]).toEqual([2, expect.not.stringContaining('secretsecret')])
  })
})

describe('hub freeze', () => {
  test('spells the chain as policies do, and numbers each chain by itself', async ({ withNode: shell }) => {
    const whose = formatAddress(newSigner().address)
    const symbiote = newSigner().address
    const freeze = (more: string) => shell.run(`hub freeze ${whose}${more}`)
    expect((await freeze(' --chain BTC --amount 10 --seq 9')).stdout).toContain(`10 of ${whose} are frozen on btc`)
    expect((await freeze(` --chain ed25519:${formatAddress(symbiote)} --amount 0.5 --seq 1`)).code).toBe(0)
    expect((await freeze(' --chain btc --amount 1 --seq 9')).stderr).toContain('must be above 9')
    const bodies = shell.node.trust.told.map((told) => decodeStatement(told).body)
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
})
