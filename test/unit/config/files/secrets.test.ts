import { generateKeyPairSync } from 'node:crypto'
import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { describe, expect } from 'vitest'
import { peerIdOf } from '../../../../protocols/address.ts'
import { createKeyCache, signFor, verifySignature } from '../../../../protocols/signature.ts'
import { defaultKeyPath, loadIdentity, loadOrCreateKey, loadToken } from '../../../../src/config/index.ts'
import { it } from '../../../fixtures/config/folder.ts'

describe('the identity', () => {
  it('is one key: the address and the peer id', async ({ operator: temp }) => {
    const { signer, key } = await loadIdentity(temp.dir)
    const seed = Buffer.from(key.export({ format: 'jwk' }).d as string, 'base64url')
    const peerId = peerIdFromPrivateKey(await generateKeyPairFromSeed('Ed25519', seed))
    expect(peerId.toString()).toBe(peerIdOf(signer.address))
  })

  it('is refused where others can read it, or where it is no ed25519 key', async ({ operator: temp }) => {
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

  it('is missed with advice', async ({ temp }) => {
    await expect(loadIdentity(temp.path)).rejects.toThrow(
      `identity.pem is not there (${temp.in('identity.pem')}); it is made by \`thundercloud init\`, or take it from a backup of ${temp.path}`,
    )
  })

  it('never tells the secret in an error', async ({ temp }) => {
    await writeFile(temp.in('api.token'), 'short-secret\n', { mode: 0o600 })
    const error: unknown = await loadToken(temp.path).catch((reason: unknown) => reason)
    expect(String(error)).toContain('api.token has no token')
    expect(String(error)).not.toContain('short-secret')
  })
})

describe("the author's key", () => {
  it('is made on first use, for its owner alone, and the same afterwards', async ({ temp }) => {
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

  it('of many that make it at once, all get the same', async ({ temp }) => {
    const all = await Promise.all(Array.from({ length: 8 }, () => loadOrCreateKey(temp.in('author.pem'))))
    expect(new Set(all.map(({ signer }) => peerIdOf(signer.address))).size).toBe(1)
    expect(all.filter(({ created }) => created)).toHaveLength(1)
    expect(await readdir(temp.path)).toEqual(['author.pem'])
  })

  it('is refused where others can read it, and never overwritten', async ({ temp }) => {
    const path = temp.in('author.pem')
    await writeFile(path, 'precious', { mode: 0o644 })
    await expect(loadOrCreateKey(path)).rejects.toThrow(
      `the author's key can be read by others on this machine (mode 0644); run \`chmod 600 ${path}\``,
    )
    await chmod(path, 0o600)
    await expect(loadOrCreateKey(path)).rejects.toThrow("the author's key is no key")
    expect(await readFile(path, 'utf8')).toBe('precious')
  })

  it('says where it could not be written', async ({ temp }) => {
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
  ] as const)('has its place in the folder that the system has for settings: %j, %s', (env, system, folder) => {
    expect(defaultKeyPath(env, system)).toBe(`${folder}/thundercloud/author.pem`)
  })
})
