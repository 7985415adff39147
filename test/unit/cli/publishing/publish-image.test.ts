import { readFileSync, writeFileSync } from 'node:fs'
import { expect } from 'vitest'
import { imageOf } from '../../../fixtures/code/images.ts'
import { sourceServer } from '../../../fixtures/code/source-server.ts'
import { test as base } from '../../../fixtures/program/shell.ts'

const MANIFEST = { name: 'web', toolchain: ['docker'], run: { command: ['/bin/web'] } }

/** An operator whose REGISTRIES has a registry with the image team/web:1. */
const test = base.extend('shell', async ({ withNode: shell }) => {
  const image = imageOf(1)
  const { url } = await sourceServer(() => ({ '/v2/team/web/manifests/1': image.manifest }))
  const config = shell.path('operator/runners/andromeda/config.json')
  const policy = JSON.parse(readFileSync(config, 'utf8')) as object
  writeFileSync(config, JSON.stringify({ ...policy, REGISTRIES: { DOCKER: [url] } }))
  writeFileSync(shell.path('web.json'), JSON.stringify(MANIFEST))
  const hex = Buffer.from(image.code.multihash.digest).toString('hex')
  return { ...shell, code: image.code.toString(), ref: `ghcr.io/team/web:1@sha256:${hex}` }
})

test('publish --oci: what the tag names now is the code, and its registry a source', async ({ shell }) => {
  const { code, values } = await shell.json('publish web.json --oci ghcr.io/team/web:1')
  expect([code, values]).toEqual([0, [expect.objectContaining({ event: 'published', code: shell.code })]])
  const [announced] = shell.node.announcements
  expect(announced?.signed.body).toMatchObject({ sources: [{ type: 'mesh' }, { type: 'oci', ref: shell.ref }] })
  expect(shell.node.archives.size).toBe(0)
})

test('publish --oci: another registry of the manifest stays where it has this very image', async ({ shell }) => {
  const mirror = shell.ref.replace('ghcr.io', 'mirror.example.org')
  const old = `ghcr.io/team/web@sha256:${'0'.repeat(64)}`
  const sources = [mirror, old].map((ref) => ({ type: 'oci', ref }))
  writeFileSync(shell.path('web.json'), JSON.stringify({ ...MANIFEST, sources }))
  const { values } = await shell.json('publish web.json --oci ghcr.io/team/web:1 --dry-run')
  expect(values[0]).toMatchObject({ sources: [mirror, shell.ref].map((ref) => ({ type: 'oci', ref })) })
})

test('publish --oci --dry-run: the digest, and nothing is announced', async ({ shell }) => {
  const { stdout } = await shell.run('publish web.json --oci ghcr.io/team/web:1 --dry-run')
  expect(stdout).toBe(
    `source: mesh\nsource: the image ${shell.ref}\nnetwork: none\n"web" would have the code ${shell.code}, of which nothing is packed here. Nothing was announced.\n`,
  )
  expect(shell.node.announcements).toEqual([])
})

test('publish --oci: what is wrong is one sentence', async ({ shell }) => {
  writeFileSync(shell.path('dir.json'), JSON.stringify({ ...MANIFEST, dir: 'x' }))
  await shell.refused('publish dir.json --oci ghcr.io/team/web:1', /dir says where the code is, and so does --oci/)
  await shell.refused(
    ['publish', 'web.json', '--oci', 'a/b:1', '--platform', 'foo'],
    /--platform is "foo"; allowed is a platform like "linux\/arm64"/,
  )
  writeFileSync(shell.path('node.json'), JSON.stringify({ ...MANIFEST, toolchain: ['node.js'] }))
  await shell.refused('publish node.json --oci ghcr.io/team/web:1', /an image runs in Docker alone: write \["docker"\]/)
  await shell.refused(['publish', 'web.json', '--oci', 'a b'], /--oci is "a b"; allowed is a reference like/)
  await shell.refused('publish web.json --oci ghcr.io/team/web:2', /the image ghcr\.io\/team\/web:2: .* answers 404/)
})
