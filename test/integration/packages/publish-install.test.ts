import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import { describe, expect } from 'vitest'
import { sourceServer } from '../../fixtures/code/source-server.ts'
import { type ShellWithNode, test } from '../../fixtures/program/shell.ts'
import { tempDir } from '../../fixtures/temp-dir.ts'
import { needs } from '../../require.ts'
import { rawTar } from '../../unit/code/raw-tar.ts'

const PACKAGES = [
  { name: '@s/tool', version: '1.2.3', bin: 'cli.js', dependencies: { '@s/dep': '1.0.0' } },
  { name: '@s/dep', version: '1.0.0' },
]

/** A registry that shows its packages to the holder of a token alone. */
async function privateRegistry() {
  return await sourceServer((url) =>
    Object.fromEntries(
      PACKAGES.flatMap((about) => {
        const path = `/@s%2f${about.name.slice(3)}`
        const files = [
          { path: 'package/cli.js', content: '#!/usr/bin/env node\n' },
          { path: 'package/package.json', content: JSON.stringify(about) },
        ]
        const tarball = gzipSync(rawTar(...files))
        const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`
        const version = { ...about, dist: { tarball: `${url}${path}.tgz`, integrity } }
        const all = { ...about, 'dist-tags': { latest: about.version }, versions: { [about.version]: version } }
        const pages = [
          [path, JSON.stringify(all)],
          [`${path}/${about.version}`, JSON.stringify(version)],
          [`${path}.tgz`, tarball],
        ] as const
        return pages.map(([at, page]) => [at, guarded(page)])
      }),
    ),
  )
}

function guarded(page: string | Uint8Array) {
  return (response: ServerResponse) => {
    if (response.req.headers.authorization !== 'Bearer secret') response.statusCode = 401
    response.end(response.statusCode === 401 ? undefined : page)
  }
}

/** Whose npm has this file. */
async function person(npmrc: string) {
  const home = await tempDir()
  writeFileSync(`${home}/.npmrc`, npmrc)
  return { HOME: home, PATH: process.env.PATH ?? '' }
}

function setRegistries(shell: ShellWithNode, addresses: readonly unknown[]): void {
  const file = shell.path('operator/runners/andromeda/config.json')
  const config = JSON.parse(readFileSync(file, 'utf8')) as object
  writeFileSync(file, JSON.stringify({ ...config, REGISTRIES: { 'NODE.JS': addresses } }))
}

describe.skipIf(!needs('bubblewrap'))('publish --npm of a private package with dependencies', () => {
  const PUBLISH = 'publish --npm @s/tool@1.2.3 --dry-run'
  const FILES = [
    'node_modules/@s/dep/cli.js',
    'node_modules/@s/dep/package.json',
    'node_modules/@s/tool/cli.js',
    'node_modules/@s/tool/package.json',
    'node_modules/.bin/tool',
  ]
  const filesOf = (values: readonly Record<string, unknown>[]) =>
    ((values[0]?.files ?? []) as { path: string }[]).map(({ path }) => path).sort()

  test('takes scopes and credentials from npm, and mirrors in their order', async ({ withNode: shell }) => {
    const { url } = await privateRegistry()
    const token = `${url.replace('http:', '')}/:_authToken=secret\n`
    const scoped = await person(`registry=http://127.0.0.1:1/\n@s:registry=${url}\n${token}`)
    expect(filesOf((await shell.json(PUBLISH, { env: scoped })).values)).toEqual(FILES.sort())
    setRegistries(shell, ['http://127.0.0.1:1', { URL: url, OWN_ONLY: true }])
    const mirrored = await person(token)
    expect(filesOf((await shell.json(PUBLISH, { env: mirrored })).values)).toEqual(FILES.sort())
  })

  test('without credentials it says which command gives some', async ({ withNode: shell }) => {
    const { url } = await privateRegistry()
    const env = await person(`registry=${url}\n`)
    const { code, stderr } = await shell.run(PUBLISH, { env })
    expect([code, stderr]).toEqual([2, expect.stringContaining(`\`npm login --registry=${url}/\` gives one`)])
  })
})
