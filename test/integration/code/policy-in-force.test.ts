import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { startDockerRegistry } from '../../fixtures/code/docker-registry.ts'
import { makeCertificates } from '../../fixtures/code/tls-server.ts'
import { digestOf, makeImage } from '../../fixtures/execution/images.ts'
import { tempDir } from '../../fixtures/temp-dir.ts'
import { needs } from '../../require.ts'

const SCRIPT = fileURLToPath(new URL('../../fixtures/code/policy-in-force.ts', import.meta.url))
const NAMES = [
  'github.com',
  '*.github.com',
  'gitlab.com',
  'evilgithub.com',
  'github.com.evil.io',
  '*.crates.example',
  '*.shelf.example',
]

/** Where the clients of the indexes download from. */
const CLIENTS = {
  '.cargo/config.toml':
    '[source.crates-io]\nreplace-with = "m"\n[source.m]\nregistry = "sparse+https://index.crates.example/"\n',
  '.gemrc': ':sources:\n- https://gem.shelf.example/\n',
  '.config/composer/config.json': JSON.stringify({
    repositories: { p: { type: 'composer', url: 'https://composer.shelf.example' } },
  }),
  '.nuget/NuGet/NuGet.Config':
    '<configuration><packageSources><add key="m" value="https://nuget.shelf.example/index.json"/></packageSources></configuration>',
  '.cabal/config': 'repository m\n  url: https://hackage.shelf.example/\n',
  '.m2/settings.xml':
    '<settings><mirrors><mirror><mirrorOf>*</mirrorOf><url>https://scala.shelf.example/</url></mirror></mirrors></settings>',
}

const ALLOWED = { rule: 'pass', fetched: 'taken' }
const notAllowed = (host: string) => ({
  rule: `may not download from ${host}: not in ALLOWED_STORAGE`,
  fetched: expect.stringContaining(`${host}:443 is not among the hosts that may be reached`),
})
/** The name is allowed; where it leads is seen when it is resolved. */
const leadsAstray = (problem: string) => ({ rule: 'pass', fetched: expect.stringContaining(problem) })

/** An image that a real registry of images has, and how to start it again. */
async function imageInRegistry() {
  const { push, close, configFile } = await startDockerRegistry()
  const image = await makeImage()
  await push('team/app', image)
  await close()
  return { ref: `registry.example.org/team/app@${digestOf(image.manifest)}`, code: image.code.toString(), configFile }
}

test.skipIf(!needs('root'))(
  "the seed's policy in force: each host by its rule, redirects and addresses too",
  async () => {
    const dir = await tempDir()
    const { ca } = makeCertificates(dir, [...NAMES, 'proxy.go.example', 'localhost', '169.254.169.254'])
    const withImage = needs('docker-registry')
    if (withImage) writeFileSync(join(dir, 'image.json'), JSON.stringify(await imageInRegistry()))
    for (const [file, text] of Object.entries(CLIENTS)) {
      mkdirSync(dirname(join(dir, file)), { recursive: true })
      writeFileSync(join(dir, file), text)
    }
    const node = [process.execPath, '--conditions=thundercloud-source', SCRIPT, dir]
    const ran = spawnSync('unshare', ['--net', '--mount', ...node], {
      env: { PATH: process.env.PATH, HOME: dir, NODE_EXTRA_CA_CERTS: ca },
      encoding: 'utf8',
      timeout: 240_000,
    })
    expect(ran.stderr).toBe('')
    const { found, asked } = JSON.parse(ran.stdout) as { found: unknown; asked: string[] }
    expect(found).toEqual({
      'github.com': ALLOWED,
      'below github.com': ALLOWED,
      'from github.com to below it': ALLOWED,
      'gitlab.com': ALLOWED,
      // mirrors of the seed's REGISTRIES, at a private address
      'npmjs.com': ALLOWED,
      ...(withImage && { 'an image': ALLOWED }),
      // by name, from where their clients download
      'crates.io': ALLOWED,
      'pkg.go.dev': ALLOWED,
      'rubygems.org': ALLOWED,
      'getcomposer.org': ALLOWED,
      'www.nuget.org': ALLOWED,
      'hackage.haskell.org': ALLOWED,
      'index.scala-lang.org': ALLOWED,
      'pypi.org': {
        rule: 'may not download from pypi.org: not in ALLOWED_STORAGE',
        fetched: 'may not download from pypi.org: not in ALLOWED_STORAGE',
      },
      'evilgithub.com': notAllowed('evilgithub.com'),
      'github.com.evil.io': notAllowed('github.com.evil.io'),
      'to the metadata of a cloud': leadsAstray('169.254.169.254:443 is not among the hosts that may be reached'),
      'to a private address': leadsAstray('inside.github.com leads to 10.0.0.5, which is not a public address'),
      'to a host that is not allowed': leadsAstray('evilgithub.com:443 is not among the hosts that may be reached'),
      'a private address itself': leadsAstray('inside.github.com leads to 10.0.0.5, which is not a public address'),
    })
    // what was refused was not asked
    const hosts = new Set(asked.map((line) => line.split('/')[0]))
    expect([...hosts].filter((host) => /evil|169|inside/.test(host ?? ''))).toEqual([])
  },
)
