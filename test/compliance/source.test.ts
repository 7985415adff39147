import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe } from 'vitest'
import { cidOfBytes } from '../../protocols/encoding.ts'
import { REGISTRY_KINDS } from '../../protocols/registries.ts'
import { registryOf } from '../../src/config/index.ts'
import { git, gitServer } from '../fixtures/code/git-server.ts'
import { imageOf } from '../fixtures/code/images.ts'
import { PACKAGE_FILES, PACKAGES } from '../fixtures/code/package-shelves.ts'
import { codeOf, sourceServer } from '../fixtures/code/source-server.ts'
import { tempDir } from '../fixtures/temp-dir.ts'
import { needs } from '../require.ts'
import { rawTar } from '../unit/code/raw-tar.ts'
import { describeSource } from './source-kit.ts'

const OTHER = [{ path: 'other', content: 'other' }]
const onHost = () => ({ ALLOWED_STORAGE: ['127.0.0.1'] })

describeSource('https', async () => ({
  async serve() {
    const tar = rawTar(...PACKAGE_FILES.map(({ path, content }) => ({ path, content })))
    return (await sourceServer(() => ({ '/code.tgz': gzipSync(tar) }))).url
  },
  source: (url) => ({ type: 'https', url: `${url}/code.tgz` }),
  code: await codeOf(PACKAGE_FILES),
  other: await codeOf(OTHER),
  allow: onHost,
  isContent: (path) => path === '/code.tgz',
}))

for (const kind of REGISTRY_KINDS) {
  const { name, version, file, path, pages } = PACKAGES[kind]
  describeSource(kind, async () => ({
    serve: async (url) => (await sourceServer(() => ({ ...pages(url, file), [path]: file }))).url,
    source: () => ({ type: 'registry', kind, name, version }),
    code: await codeOf(PACKAGE_FILES),
    other: await codeOf(OTHER),
    allow: (url) => ({ REGISTRIES: { [registryOf(kind).key]: [url] } }),
    isContent: (asked) => asked === path,
  }))
}

describe.skipIf(!needs('git'))('git', () => {
  describeSource('git', async () => {
    const dir = await tempDir()
    for (const { path, content } of PACKAGE_FILES) {
      mkdirSync(dirname(join(dir, path)), { recursive: true })
      writeFileSync(join(dir, path), content)
    }
    git(dir, 'init', '-q')
    git(dir, 'add', '-A')
    git(dir, 'commit', '-qm', 'one')
    const commit = git(dir, 'rev-parse', 'HEAD')
    return {
      serve: async () => (await gitServer(dir)).url,
      source: (url) => ({ type: 'git', url: `${url}/.git`, commit }),
      code: await codeOf(PACKAGE_FILES),
      other: await codeOf(OTHER),
      allow: onHost,
      isContent: (path) => path.endsWith('/git-upload-pack'),
    }
  })
})

describeSource('oci', async () => {
  const image = imageOf(1, [200, 5000])
  const hex = Buffer.from(image.code.multihash.digest).toString('hex')
  const pages = Object.fromEntries([
    [`/v2/a/b/manifests/sha256:${hex}`, image.manifest],
    ...[...image.contents].map(([digest, bytes]) => [`/v2/a/b/blobs/sha256:${digest}`, bytes]),
  ])
  return {
    serve: async () => (await sourceServer(() => pages)).url,
    source: () => ({ type: 'oci', ref: `a/b@sha256:${hex}` }),
    code: image.code,
    other: cidOfBytes(Buffer.from('another manifest')),
    allow: (url) => ({ REGISTRIES: { DOCKER: [url] } }),
    isContent: (path) => path.includes('/blobs/'),
  }
})
