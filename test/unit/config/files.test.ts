import { generateKeyPairSync } from 'node:crypto'
import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { expect } from 'vitest'
import { parseAddress, peerIdOf } from '../../../protocols/address.ts'
import { cidOfBytes } from '../../../protocols/encoding.ts'
import { issueTicket } from '../../../protocols/redirection.ts'
import { decodeService, encodeService } from '../../../protocols/service.ts'
import { createKeyCache, signFor, verifySignature } from '../../../protocols/signature.ts'
import {
  commentedManifest,
  defaultKeyPath,
  loadIdentity,
  loadManifest,
  loadOrCreateKey,
  loadToken,
  manifestToBody,
  parseManifest,
} from '../../../src/config/index.ts'
import { it } from '../../fixtures/config/folder.ts'

const SIGNING = {
  author: parseAddress('HUorKvAxAw5yVzSAH72sSCck6JmB9DKxC226RawegMLV'),
  seq: 7,
  issued: 1_700_000_000,
  code: cidOfBytes(Uint8Array.of(1)),
  replyTo: [],
  reach: issueTicket(3, new Uint8Array(32)).reach,
}
const LEAST = { name: 'job', toolchain: ['node'], run: { command: ['node', 'x.js'] } }

it('a manifest: needs three keys; everything else has a modest default', () => {
  const body = manifestToBody(parseManifest(LEAST), SIGNING)
  expect(body).toMatchObject({
    name: 'job',
    seq: 7,
    title: 'job',
    toolchain: ['node.js'],
    expires: 1_700_000_000 + 7 * 86_400,
    sources: [{ type: 'mesh' }],
    run: { command: ['node', 'x.js'], kind: 'task' },
    resources: { memory: 128 * 1024 ** 2, disk: 64 * 1024 ** 2, cpu: 250, pids: 64 },
    network: [],
    replicas: 1,
  })
  expect(decodeService(encodeService(body))).toEqual(body)
})

it('a manifest: with ports is a service; its ports are the author’s unless it says otherwise', () => {
  const ports = [{ name: 'http', port: 80 }]
  const { run } = manifestToBody(parseManifest({ ...LEAST, run: { ...LEAST.run, ports } }), SIGNING)
  expect(run).toMatchObject({ kind: 'service', ports: [{ name: 'http', port: 80, access: 'author' }] })
})

it('a manifest: becomes the whole body of a service', () => {
  const run = { build: ['npm', 'ci'], env: { A: 'b' }, workdir: 'sub', restart: 'on-failure' }
  const resources = { memory: '1GiB', disk: 0, cpu: 1500, pids: 10 }
  const manifest = parseManifest({
    ...LEAST,
    title: 'A job',
    symbiotes: ['QfzhbWJsPa9NjqxepcXSbp1X58pkQNACS2ReyRo2SMCK'],
    hostchains: ['btc'],
    expires: '90s',
    sources: [
      { type: 'git', url: 'https://example.org/a.git', commit: 'a'.repeat(40), path: 'sub' },
      { type: 'oci', ref: `a/b@sha256:${'0a'.repeat(32)}` },
    ],
    run: { ...LEAST.run, ...run, timeout: '5m' },
    resources,
    network: ['*.example.org:443'],
    replicas: 3,
    reward: { asset: 'KLY', perHour: 0.25 },
  })
  const body = manifestToBody(manifest, SIGNING)
  expect(body.run).toEqual({ ...LEAST.run, ...run, timeout: 300, kind: 'task', ports: [] })
  expect(body.resources).toEqual({ ...resources, memory: 1024 ** 3 })
  expect(body.reward).toEqual({ asset: 'KLY', perHour: '0.25' })
  expect(body.symbiotes).toHaveLength(1)
  expect(body.symbiotes[0]?.slice(0, 2)).toEqual(Uint8Array.of(0xed, 0x01))
  expect(decodeService(encodeService(body))).toEqual(body)
})

it('a manifest: that would not fit into one announcement is refused, with its size', () => {
  const env = Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`V${index}`, 'x'.repeat(2000)]))
  const manifest = parseManifest({ ...LEAST, run: { ...LEAST.run, env } })
  expect(() => manifestToBody(manifest, SIGNING)).toThrow(
    /^manifest has 20\d{3} bytes when encoded; allowed are at most 16224: shorten desc, env or the command$/,
  )
})

it.for([
  ['the code', 14, 2, 'the code takes most of it; publish it without --inline'],
  ['staples', 2, 15, 'staple less, or publish it without --inline, or shorten desc, env or the command'],
  ['staples alone', 0, 17, 'staple less, or shorten desc, env or the command'],
] as const)('a manifest: too large by %s, it says what helps', ([, code, staples, advice]) => {
  const inline = code === 0 ? {} : { inline: new Uint8Array(code * 1024) }
  const signing = {
    ...{ ...SIGNING, ...inline },
    staples: { statements: [new Uint8Array(staples * 1024)], credentials: [] },
  }
  expect(() => manifestToBody(parseManifest(LEAST), signing)).toThrow(`allowed are at most 16224: ${advice}`)
})

it('a manifest: as `service new` writes it has comments, and is valid unchanged', async ({ temp }) => {
  await writeFile(temp.in('service.json'), commentedManifest('my-web', './manifest.json'))
  const manifest = await loadManifest(temp.in('service.json'))
  const run = { kind: 'service', ports: [{ name: 'http', port: 8080 }] }
  expect(manifest).toMatchObject({ name: 'my-web', run, depth: 3 })
  expect(() => manifestToBody(manifest, SIGNING)).not.toThrow()
})

it('a manifest: that is missing says how to make one', async ({ temp }) => {
  await expect(loadManifest(temp.in('service.json'))).rejects.toThrow(
    `service.json is not there (${temp.in('service.json')}); name a manifest, or run \`thundercloud service new NAME\` to write one`,
  )
})

it('the identity: is one key: the address and the peer id', async ({ operator: temp }) => {
  const { signer, key } = await loadIdentity(temp.dir)
  const seed = Buffer.from(key.export({ format: 'jwk' }).d as string, 'base64url')
  const peerId = peerIdFromPrivateKey(await generateKeyPairFromSeed('Ed25519', seed))
  expect(peerId.toString()).toBe(peerIdOf(signer.address))
})

it('the identity: is refused where others can read it, or where it is no ed25519 key', async ({ operator: temp }) => {
  const { dir } = temp
  const file = join(dir, 'identity.pem')
  for (const mode of [0o644, 0o640, 0o604]) {
    await chmod(file, mode)
    await expect(loadIdentity(dir)).rejects.toThrow(
      `identity.pem can be read by others on this machine (mode 0${mode.toString(8)}); run \`chmod 600 ${file}\``,
    )
  }
  await chmod(file, 0o600)
  await writeFile(file, 'nonsense')
  await expect(loadIdentity(dir)).rejects.toThrow(
    'identity.pem is no key; allowed is an ed25519 private key as PKCS#8 PEM without a passphrase',
  )
  await writeFile(file, generateKeyPairSync('x25519').privateKey.export({ type: 'pkcs8', format: 'pem' }))
  await expect(loadIdentity(dir)).rejects.toThrow(
    'identity.pem is a key of the kind "x25519"; allowed is an ed25519 private key as PKCS#8 PEM',
  )
})

it('the identity: is missed with advice', async ({ temp }) => {
  await expect(loadIdentity(temp.path)).rejects.toThrow(
    `identity.pem is not there (${temp.in('identity.pem')}); take it from a backup of ${temp.path}; a new folder made by \`thundercloud init\` has a new identity, which is another node`,
  )
})

it('the identity: never tells the secret in an error', async ({ temp }) => {
  await writeFile(temp.in('api.token'), 'short-secret\n', { mode: 0o600 })
  const error: unknown = await loadToken(temp.path).catch((reason: unknown) => reason)
  expect(String(error)).toContain('api.token has no token')
  expect(String(error)).not.toContain('short-secret')
})

it("the author's key: is made on first use, for its owner alone, and the same afterwards", async ({ temp }) => {
  const path = temp.in('new', 'folder', 'author.pem')
  const first = await loadOrCreateKey(path)
  expect(first.created).toBe(true)
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  expect((await stat(temp.in('new', 'folder'))).mode & 0o777).toBe(0o700)
  expect(await readFile(path, 'utf8')).toMatch(/^-----BEGIN PRIVATE KEY-----\n/)

  const second = await loadOrCreateKey(path)
  expect(second.created).toBe(false)
  expect(second.signer.address).toEqual(first.signer.address)
  const bytes = Uint8Array.of(1, 2, 3)
  const signature = signFor(second.signer, 'test', 'service', bytes)
  const { address } = first.signer
  const signed = { network: 'test', kind: 'service', who: 'author', address, bytes, signature } as const
  expect(() => verifySignature(createKeyCache(), signed)).not.toThrow()
})

it("the author's key: of many that make it at once, all get the same", async ({ temp }) => {
  const all = await Promise.all(Array.from({ length: 8 }, () => loadOrCreateKey(temp.in('author.pem'))))
  expect(new Set(all.map(({ signer }) => peerIdOf(signer.address))).size).toBe(1)
  expect(all.filter(({ created }) => created)).toHaveLength(1)
  expect(await readdir(temp.path)).toEqual(['author.pem'])
})

it("the author's key: is refused where others can read it, and never overwritten", async ({ temp }) => {
  const path = temp.in('author.pem')
  await writeFile(path, 'precious', { mode: 0o644 })
  await expect(loadOrCreateKey(path)).rejects.toThrow(
    `the author's key can be read by others on this machine (mode 0644); run \`chmod 600 ${path}\``,
  )
  await chmod(path, 0o600)
  await expect(loadOrCreateKey(path)).rejects.toThrow("the author's key is no key")
  expect(await readFile(path, 'utf8')).toBe('precious')
})

it("the author's key: says where it could not be written", async ({ temp }) => {
  await writeFile(temp.in('file'), '')
  await expect(loadOrCreateKey(temp.in('file', 'author.pem'))).rejects.toThrow(
    `the author's key cannot be written to ${temp.in('file', 'author.pem')}`,
  )
})

it.each([
  [{ HOME: '/home/a', XDG_CONFIG_HOME: '/x' }, 'linux', '/x'],
  [{ HOME: '/home/a', XDG_CONFIG_HOME: 'relative' }, 'linux', '/home/a/.config'],
  [{ HOME: '/home/a' }, 'linux', '/home/a/.config'],
  [{ HOME: '/Users/a' }, 'darwin', '/Users/a/Library/Application Support'],
] as const)(
  "the author's key: has its place in the folder that the system has for settings: %j, %s",
  (env, system, folder) => {
    expect(defaultKeyPath(env, system)).toBe(`${folder}/thundercloud/author.pem`)
  },
)
