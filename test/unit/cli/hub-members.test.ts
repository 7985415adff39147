import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { describe, expect } from 'vitest'
import { formatAddress } from '../../../protocols/address.ts'
import { blsSigner, createKeyCache, type KeyCache } from '../../../protocols/signature.ts'
import { decodeStatement, signerOf, verifyStatement } from '../../../protocols/statement.ts'
import { manualClock, systemClock } from '../../../src/base/clock.ts'
import { loadHubFile, readPolicyText } from '../../../src/config/index.ts'
import { openShellWithNode, type Shell, test } from '../../fixtures/program/shell.ts'
import { SOME_CODE } from '../../fixtures/trust/statements.ts'

const CODE = SOME_CODE.toString()
const keys: KeyCache = createKeyCache()

/** A hub of three in ./hub, of whom two must sign. */
async function withHub() {
  const shell = await openShellWithNode()
  const made = await shell.json('hub keygen --bls --members 3 --threshold 2')
  expect([made.code, made.stderr]).toEqual([0, ''])
  const hub = await loadHubFile(shell.path('hub/hub.public.json'), 'hub.public.json', keys)
  return { ...shell, hub, made: made.values[0] as Record<string, unknown> }
}

const DRAFT = `hub attest ${CODE} --safe --hub hub/hub.public.json --out draft.json`

function json(shell: Shell, file: string): Record<string, unknown> {
  return JSON.parse(readFileSync(shell.path(file), 'utf8')) as Record<string, unknown>
}

describe('hub keygen', () => {
  test('makes an ed25519 key that only its owner reads, and never over another', async ({ shell }) => {
    const { code, stdout } = await shell.run('hub keygen')
    expect([code, stdout]).toEqual([0, expect.stringContaining('"TRUSTED_HUBS": {')])
    expect(statSync(shell.path('hub.pem')).mode & 0o777).toBe(0o600)
    const before = readFileSync(shell.path('hub.pem'), 'utf8')
    await shell.refused('hub keygen', 'hub.pem is there already')
    expect(readFileSync(shell.path('hub.pem'), 'utf8')).toBe(before)
  })

  test('makes a BLS key with its proof for one network, and a public part without the secret', async ({ shell }) => {
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

  test('makes a whole hub, and what it prints is what a policy takes', async () => {
    await using shell = await withHub()
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
  ])('%s is explained, and makes nothing', async ([options, sentence], { shell }) => {
    await shell.refused(`hub keygen ${options} --out x`, sentence)
    expect(() => statSync(shell.path('x'))).toThrow()
  })
})

describe('hub members', () => {
  test('joins keys that were made apart, and names what is wrong', async ({ shell }) => {
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
})

describe('several members', () => {
  test('sign apart; one combines what is enough, and publishes it', async () => {
    await using shell = await withHub()
    expect((await shell.json(DRAFT)).values).toMatchObject([{ event: 'drafted', threshold: 2, members: 3 }])
    expect(shell.node.trust.told).toEqual([])
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
    const statement = decodeStatement(shell.node.trust.told[0] as Uint8Array)
    expect(statement.signers?.byteLength).toBe(1)
    verifyStatement(statement, 'test', keys, shell.hub)
    expect(() => verifyStatement(statement, 'test', keys)).toThrow(/not pinned/)
    // published from its file, also by a light peer
    expect((await shell.json('hub publish hub.statement')).values[0]).toMatchObject({ event: 'published' })
    expect(shell.node.trust.told).toHaveLength(2)
  })

  test('all of them sign as the hub itself, for which nobody needs to know of members', async () => {
    await using shell = await withHub()
    await shell.json(DRAFT)
    for (const number of [1, 2, 3])
      await shell.run(`hub sign draft.json --key hub/member-${number}.json --out ${number}.part`)
    await shell.run('hub combine draft.json 1.part 2.part 3.part --hub hub/hub.public.json --out all.statement')
    const statement = decodeStatement(readFileSync(shell.path('all.statement')))
    expect(statement.signers).toBeUndefined()
    expect(signerOf(statement)).toEqual(shell.hub.hub)
    verifyStatement(statement, 'test', keys)
  })

  test('what does not fit is named', async () => {
    await using shell = await withHub()
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
    expect(shell.node.trust.told).toEqual([])
  })

  test('a draft ends; a draft takes no key; a hub of another network is refused', async () => {
    await using shell = await withHub()
    await shell.json(`${DRAFT} --until 1h`)
    const later = manualClock(systemClock().now() + 2 * 3_600_000)
    await shell.refused('hub sign draft.json --key hub/member-1.json', 'draft.json has expired', { clock: later })
    await shell.refused(DRAFT, 'is there already', { lines: 2 })
    expect((await shell.json(`${DRAFT} --key operator/identity.pem`)).stderr).toContain('--key contradicts --hub')
    await shell.run('hub keygen --bls --members 1 --threshold 1 --network b --out b')
    await shell.refused(`hub attest ${CODE} --safe --hub b/hub.public.json --out y.json`, 'but the node is in "test"')
  })
})
