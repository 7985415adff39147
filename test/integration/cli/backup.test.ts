import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { formatAddress } from '../../../protocols/address.ts'
import { nowSeconds } from '../../../src/base/clock.ts'
import { loadConfiguration, loadIdentity, loadToken } from '../../../src/config/index.ts'
import { createLightPeer, createNode } from '../../../src/node/index.ts'
import { freePort } from '../../fixtures/net.ts'
import { addFolder, createWorld, HELLO_WEB, newSigner } from '../../fixtures/node/nodes.ts'
import { openShell } from '../../fixtures/program/shell.ts'
import { system } from '../../fixtures/system.ts'

const manifest = (code: string) => ({
  ...{ name: 'hello', title: 'Hello', desc: 'says hello', toolchain: ['node.js'], depth: 3, code },
  run: { command: ['node', 'server.js'], kind: 'service' },
})
const factories = { lightPeer: createLightPeer }

test('a node is the same node elsewhere, and contradicts nothing that the original signed since', async ({
  onTestFinished,
}) => {
  const world = await createWorld()
  onTestFinished(() => world[Symbol.asyncDispose]())
  const shell = openShell()
  onTestFinished(() => shell[Symbol.dispose]())
  const node = { LISTEN: [`/ip4/127.0.0.1/tcp/${await freePort()}`] }
  const original = await world.start('original', { node })
  const neighbour = await world.start('neighbour', { runner: { STATIC_NODES: original.multiaddrs() } })
  const code = await addFolder(original, HELLO_WEB)
  const first = await original.publishManifest(manifest(code))
  const blocked = formatAddress(newSigner().address)
  original.blocks.add({ kind: 'author', subject: blocked })

  const passphrase = 'correct horse battery staple'
  await writeFile(shell.path('passphrase'), `${passphrase}\n`, { mode: 0o600 })
  const asked = ['--passphrase-file', 'passphrase']
  const dir = world.dir('original')
  await writeFile(join(dir, 'notes.txt'), 'mine', { mode: 0o640 })
  // what killed processes have left, and what one is filling now
  const gone = 2 ** 30
  const filling = `.node.backup.backup-${process.pid}-aB3dE9`
  for (const stage of [`.node.backup.backup-${gone}-aB3dE9`, `.again.restore-${gone}-aB3dE9`, filling]) {
    await mkdir(shell.path(stage))
    await writeFile(shell.path(join(stage, 'identity.pem')), 'a key')
  }
  const made = await shell.json(['backup', 'node.backup', '--dir', dir, ...asked])
  expect(made.values).toEqual([expect.objectContaining({ peerId: original.peerId, codes: [code], left: [] })])
  const file = shell.path('node.backup')
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  const sealed = await readFile(file)
  const secret = (await readFile(join(dir, 'identity.pem'), 'utf8')).split('\n')[1] as string
  for (const text of [secret, passphrase, 'NETWORK', 'SQLite format']) expect(sealed.includes(text)).toBe(false)
  await shell.refused(['backup', 'node.backup', '--dir', dir, ...asked], 'is there already')

  // what the backup does not know
  const later = [await original.publishManifest(manifest(code)), await original.publishManifest(manifest(code))]
  expect([first, ...later].map(({ seq }) => seq)).toEqual([1, 2, 3])

  const restore = ['restore', 'node.backup', 'again', ...asked]
  await shell.refused(restore, 'answers on its mesh; stop it for good', { code: 1, factories })
  await world.stop('original')
  await writeFile(shell.path('other'), 'another passphrase\n', { mode: 0o600 })
  await shell.refused([...restore.slice(0, 3), '--passphrase-file', 'other'], 'the passphrase is not the one of')
  for (const [at, sentence] of [
    [30, 'is no backup that this program understands'],
    [Math.floor(sealed.byteLength / 2), 'or the file is damaged'],
    [sealed.byteLength - 1, 'or the file is damaged'],
  ] as const) {
    const damaged = Buffer.from(sealed)
    damaged[at] = (damaged[at] as number) ^ 0x20
    await writeFile(shell.path('damaged.backup'), damaged)
    await shell.refused(['restore', 'damaged.backup', ...restore.slice(2)], sentence, { factories })
  }
  await shell.refused(['restore', 'node.backup', '.', ...asked], 'is not empty')
  expect((await readdir(shell.root)).toSorted()).toEqual([
    filling,
    'damaged.backup',
    'node.backup',
    'other',
    'passphrase',
  ])

  const before = nowSeconds(system.clock)
  const restored = await shell.json(restore, { factories })
  expect(restored.values).toEqual([
    expect.objectContaining({ peerId: original.peerId, original: 'silent', codes: [code] }),
  ])
  const folder = shell.path('again')
  expect((await stat(join(folder, 'notes.txt'))).mode & 0o777).toBe(0o640)
  expect((await stat(join(folder, 'identity.pem'))).mode & 0o777).toBe(0o600)
  expect(await loadToken(folder)).not.toBe(await loadToken(dir))
  const again = await createNode(system, {
    configuration: (await loadConfiguration(folder)).configuration,
    identity: await loadIdentity(folder),
    version: '0.0.0',
  })
  onTestFinished(() => again[Symbol.asyncDispose]())
  expect([again.peerId, again.blocks.list().map(({ subject }) => subject)]).toEqual([original.peerId, [blocked]])
  await addFolder(again, HELLO_WEB)
  expect((await again.publishManifest(manifest(code))).seq).toBeGreaterThanOrEqual(before)
  expect(again.asOf()).toBeGreaterThan(original.asOf())
  await expect.poll(() => neighbour.service('hello').seq, { timeout: 30_000 }).toBeGreaterThanOrEqual(before)
  await rm(folder, { recursive: true, force: true })
})
