import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, onTestFinished, test } from 'vitest'
import { sourceServer } from '../../fixtures/code/source-server.ts'
import { hostExecutor } from '../../fixtures/execution/executors.ts'
import { grantOf, linesOf, MIB, makeRunDirs, until, writeCode } from '../../fixtures/execution/run-fixture.ts'
import { serviceOf, supervise } from '../../fixtures/execution/supervised.ts'
import { needs } from '../../require.ts'
import { rawTar } from '../../unit/code/raw-tar.ts'
import { zipOf } from '../../unit/code/sources/zips.ts'

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/** A task that is built first, on a host whose policy this is; what it says, and what its build reached. */
async function built(init: { files: Record<string, string>; programs?: string[]; run: object; policy: object }) {
  const dirs = await makeRunDirs()
  const executor = hostExecutor(dirs)
  const dir = await writeCode(dirs, init.files)
  for (const path of init.programs ?? []) {
    await copyFile(path, join(dir, 'cargo'))
    await chmod(join(dir, 'cargo'), 0o755)
  }
  const code = { obtain: async () => ({ dir, release: async () => {} }), keep: () => new DisposableStack() }
  const policy = () => init.policy
  const { supervisor, close } = supervise(dirs, {
    executors: [executor],
    code,
    policy,
    graceMs: 2000,
    stopOnClose: true,
  })
  onTestFinished(async () => {
    await close()
    await dirs[Symbol.asyncDispose]()
  })
  await supervisor.boot()
  supervisor.run(
    serviceOf({ ...init.run, kind: 'task' }),
    grantOf('host', { memoryBytes: 512 * MIB, diskBytes: 256 * MIB }),
  )
  await until(async () => ['exited', 'failed', 'stopped'].includes(supervisor.status('service-1')?.record.state ?? ''))
  return { ...(await linesOf(join(dirs.logs, 'service-1'))), record: supervisor.status('service-1')?.record }
}

const wheel = zipOf([
  { name: 'thing/__init__.py', content: 'said = "from the index"\n' },
  { name: 'thing-1.0.dist-info/METADATA', content: 'Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n' },
  {
    name: 'thing-1.0.dist-info/WHEEL',
    content: 'Wheel-Version: 1.0\nGenerator: a\nRoot-Is-Purelib: true\nTag: py3-none-any\n',
  },
  { name: 'thing-1.0.dist-info/RECORD', content: '' },
])
const hasPip = () => existsSync('/usr/bin/python3') && existsSync('/usr/lib/python3/dist-packages/pip')

test.skipIf(!needs('bubblewrap') || !hasPip())('pip finds in REGISTRIES.PYTHON what a build installs', async () => {
  const file = 'thing-1.0-py3-none-any.whl'
  const { url, asked } = await sourceServer(() => ({
    '/simple/thing/': (response) =>
      response
        .setHeader('content-type', 'text/html')
        .end(`<a href="/files/${file}#sha256=${sha256(wheel)}">${file}</a>`),
    [`/files/${file}`]: wheel,
  }))
  const { out, record, err } = await built({
    files: { 'main.py': 'import sys; sys.path.insert(0, "/code/lib"); import thing; print(thing.said)' },
    run: {
      command: ['python3', 'main.py'],
      build: ['python3', '-m', 'pip', 'install', '--target', 'lib', 'thing==1.0'],
    },
    policy: { REGISTRIES: { PYTHON: [`${url}/simple`] } },
  })
  expect([record?.state, out.at(-1), err]).toEqual(['exited', 'from the index', err])
  expect(asked).toEqual(['/simple/thing/', `/files/${file}`])
})

/** One that knows sparse indexes: since 1.68. The sandbox shows /usr alone, so it goes with the code. */
function cargoPath(): string | undefined {
  const rustup = () =>
    execFileSync('rustup', ['which', 'cargo'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  for (const find of [() => '/usr/bin/cargo', rustup]) {
    try {
      const path = find().trim()
      const version = /^cargo 1\.(\d+)/.exec(execFileSync(path, ['--version'], { encoding: 'utf8' }))?.[1]
      if (Number(version) >= 68) return path
    } catch {}
  }
  return undefined
}
const cargo = cargoPath()

test.skipIf(!needs('bubblewrap') || cargo === undefined)(
  'cargo finds in REGISTRIES.RUST what a build needs',
  async () => {
    const manifest = '[package]\nname = "thing"\nversion = "0.1.0"\nedition = "2021"\n'
    const crate = gzipSync(
      rawTar(
        { path: 'thing-0.1.0/Cargo.toml', content: manifest },
        { path: 'thing-0.1.0/src/lib.rs', content: '// from the index\n' },
      ),
    )
    const { url, asked } = await sourceServer((self) => ({
      '/config.json': { dl: `${self}/dl` },
      '/th/in/thing': JSON.stringify({
        ...{ name: 'thing', vers: '0.1.0', deps: [], cksum: sha256(crate), features: {}, yanked: false },
      }),
      '/dl/thing/0.1.0/download': crate,
    }))
    const { out, record, err } = await built({
      files: {
        'Cargo.toml':
          '[package]\nname = "service"\nversion = "1.0.0"\nedition = "2021"\n[dependencies]\nthing = "=0.1.0"\n',
        'src/lib.rs': '',
      },
      programs: [cargo as string],
      run: { command: ['cat', 'vendor/thing/src/lib.rs'], build: ['./cargo', 'vendor', '--respect-source-config'] },
      policy: { REGISTRIES: { RUST: [url] } },
    })
    expect([record?.state, out.at(-1), err]).toEqual(['exited', '// from the index', err])
    expect(asked).toEqual(['/config.json', '/th/in/thing', '/dl/thing/0.1.0/download'])
  },
)
