import { createPublicKey } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { expect } from 'vitest'
import { type AccessRight, accessFor, checkAccess, decodeAccess, signAccess } from '../../../protocols/access.ts'
import { formatAddress, parseAddress, peerIdOf } from '../../../protocols/address.ts'
import { cidOfStructure, parseCid } from '../../../protocols/encoding.ts'
import { createKeyCache, ed25519Signer } from '../../../protocols/signature.ts'
import { manualClock, nowSeconds } from '../../../src/base/clock.ts'
import { defaultKeyPath, loadOrCreateKey } from '../../../src/config/index.ts'
import { newSigner } from '../../fixtures/node/fake-node.ts'
import { type Shell, test, withPeers } from '../../fixtures/program/shell.ts'
import { system } from '../../fixtures/system.ts'

const NOW = 1_700_000_000
const clock = manualClock(NOW * 1000)
const NETWORK = 'test'
const [SERVICE, ANOTHER] = [cidOfStructure(Uint8Array.of(1)), cidOfStructure(Uint8Array.of(2))]
const JOIN = '--join /ip4/127.0.0.1/tcp/1/p2p/12D3KooWBNxKKd8uUziV6qJZMjT5CWRjWcW7kfDrGPbDerRCEY1a --network test'
const author = newSigner()
const soon = () => nowSeconds(system.clock) + 60

const keyOf = async (shell: Shell) => await loadOrCreateKey(defaultKeyPath(shell.env))

/** Writes a token for the key of this shell, or as `change` says; the name of its file. */
async function given(
  shell: Shell,
  change: { subject?: ReturnType<typeof newSigner>; rights?: AccessRight[]; expires?: number } = {},
): Promise<string> {
  const { subject = (await keyOf(shell)).signer, rights = ['results'], expires = soon() } = change
  const times = { issued: expires - 60, expires }
  const token = signAccess(accessFor(SERVICE, subject.address, rights, times), NETWORK, author)
  writeFileSync(shell.path('given.access'), `${Buffer.from(token).toString('base64url')}\n`)
  return 'given.access'
}

test('access new: the token gives this key these rights on this service, until the time is over', async ({ shell }) => {
  const { signer } = await keyOf(shell)
  const holder = newSigner()
  for (const address of [formatAddress(holder.address), peerIdOf(holder.address)]) {
    const line = `access new ${SERVICE} ${address} --right logs --right results --for 2h --network ${NETWORK}`
    const { code, stdout, stderr } = await shell.run(line, { clock })
    expect(code, stderr).toBe(0)
    const token = Uint8Array.from(Buffer.from(stdout.trim(), 'base64url'))
    const asked = { service: SERVICE, author: signer.address, peer: holder.address, token }
    const at = (nowSeconds: number) => ({ network: NETWORK, keys: createKeyCache(), nowSeconds })
    for (const right of ['logs', 'results'] as const) checkAccess({ ...asked, right }, at(NOW + 7199))
    expect(() => checkAccess({ ...asked, right: 'tunnel' }, at(NOW))).toThrow('does not grant')
    expect(() => checkAccess({ ...asked, right: 'logs' }, at(NOW + 7200))).toThrow('has expired')
    expect(stderr).toContain('nodes refuse the token unless')
  }
  const { values } = await shell.json(`access new ${SERVICE} ${peerIdOf(holder.address)} --right results`, { clock })
  expect(values).toEqual([
    expect.objectContaining({ service: String(SERVICE), rights: ['results'], expires: NOW + 86_400 }),
  ])
  expect(decodeAccess(Buffer.from(String(values[0]?.token), 'base64url')).body.subject).toBeDefined()
})

test('access new: what would open nothing, or too much, is refused', async ({ shell }) => {
  const holder = formatAddress(newSigner().address)
  await shell.refused(`access new ${SERVICE} ${holder} --right results`, 'there is no key of yours here')
  await keyOf(shell)
  await shell.refused(`access new ${SERVICE} ${holder}`, '--right is missing; allowed are results, logs and tunnel')
  await shell.refused(`access new ${SERVICE} ${holder} --right all`, '--right is "all"; allowed are')
  await shell.refused(`access new ${SERVICE} ${holder} --right logs --for 25h`, 'at most 24h are allowed')
  await shell.refused(`access new ${SERVICE} somebody --right logs`, 'ADDRESS')
  await shell.refused(`access new ${SERVICE} 12D3KooWxxx --right logs`, 'ADDRESS')
  await shell.refused(`access new report ${holder} --right logs`, '"report" was not published with this key from here')
})

test('--access: the peer joins as the key that the token is for, and shows it', async ({ shell }) => {
  const file = await given(shell, { rights: ['results', 'logs', 'tunnel'] })
  const { key, signer } = await keyOf(shell)
  const { peers, factories } = withPeers()
  // the beginning of the id is enough: the token has the whole
  const asked = String(SERVICE).slice(0, 20)
  await shell.run(`results ${asked} ${JOIN} --access ${file}`, { factories })
  const [{ init } = { init: undefined }] = peers
  expect(ed25519Signer(init?.identity ?? '').address).toEqual(signer.address)
  expect(createPublicKey(init?.identity as never).equals(createPublicKey(key))).toBe(true)
  expect(decodeAccess(init?.access as Uint8Array).body.service.equals(SERVICE)).toBe(true)
  // without a token a peer is a new one each time
  await shell.run(`status ${SERVICE} ${JOIN}`, { factories })
  expect(peers).toHaveLength(2)
  expect(peers[1]?.init).not.toHaveProperty('identity')
})

test('--access: a token that every node would refuse is shown to none', async ({ shell }) => {
  const { peers, factories } = withPeers()
  const refused = async (why: string | RegExp, { service = String(SERVICE), command = 'results' } = {}) =>
    await shell.refused(`${command} ${service} ${JOIN} --access given.access`, why, { factories })
  await given(shell, { subject: newSigner() })
  await refused(/is for the key \S+ \(peer 12D3\w+\), and/)
  await given(shell, { expires: NOW })
  await refused('has ended at 2023-11-14')
  await given(shell)
  await refused('gives the right to results, and not to logs', { command: 'logs' })
  await refused(`is for the service ${SERVICE}: name that`, { service: String(ANOTHER) })
  await refused(`is for the service ${SERVICE}: name that`, { service: 'report' })
  for (const text of ['', 'no token', 'YWJj']) {
    writeFileSync(shell.path('given.access'), text)
    await refused(/is no access token|is damaged/)
  }
  writeFileSync(shell.path('given.access'), 'A'.repeat(10_000))
  await refused(/--access given\.access/)
  await shell.refused(`results ${SERVICE} ${JOIN} --access gone`, '--access gone', { factories })
  expect(peers).toEqual([])
})

test('--access: at a node, the version that the token names is meant', async ({ withNode: shell }) => {
  const id = await shell.receive(author)
  const { signer } = await keyOf(shell)
  const access = (service: string) => {
    const body = accessFor(parseCid(service), signer.address, ['logs'], { issued: soon() - 60, expires: soon() })
    writeFileSync(shell.path('given.access'), Buffer.from(signAccess(body, NETWORK, author)).toString('base64url'))
  }
  const { peers, factories } = withPeers()
  access(id)
  await shell.run('logs hello --access given.access', { factories })
  expect(peers.map(({ init }) => init.access)).toHaveLength(1)
  access(String(ANOTHER))
  await shell.refused('logs hello --access given.access', 'which is no version of "hello"', { factories })
  expect(parseAddress(formatAddress(signer.address))).toEqual(signer.address)
})
