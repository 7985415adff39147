import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { Executor } from '../../../src/execution/index.ts'
import { installPackages } from '../../fixtures/code/packages.ts'
import { startVerdaccio } from '../../fixtures/code/verdaccio.ts'
import { EXECUTORS } from '../../fixtures/execution/executors.ts'
import { grantOf, linesOf, MIB, makeRunDirs, talk, until, writeCode } from '../../fixtures/execution/run-fixture.ts'
import { serviceOf, supervise } from '../../fixtures/execution/supervised.ts'
import { tempDir } from '../../fixtures/temp-dir.ts'
import { needs } from '../../require.ts'

const FILES = {
  'package.json': JSON.stringify({ name: 'service', version: '1.0.0', dependencies: { greeting: '1.0.0' } }),
  'main.js': `require('net').createServer(s => s.on('error', () => {}).end(require('greeting'))).listen(8080, '127.0.0.1')`,
}
// npm tries for minutes where nothing answers
const RUN = {
  env: { npm_config_fetch_retries: '0' },
  build: ['npm', 'install', '--no-fund'],
  ports: [{ name: 'http', port: 8080 }],
}

describe.skipIf(!needs('registry'))('a build that installs packages', () => {
  let packages: string
  beforeAll(async () => {
    packages = await installPackages()
  }, 240_000)
  afterAll(() => rm(packages, { recursive: true, force: true }))

  /** A registry with one package in it. */
  async function registry() {
    const verdaccio = await startVerdaccio(packages, await tempDir())
    const folder = join(await tempDir(), 'greeting')
    await mkdir(folder)
    await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'greeting', version: '1.0.0' }))
    await writeFile(join(folder, 'index.js'), `module.exports = 'good day'`)
    await verdaccio.publish(folder)
    verdaccio.asked.length = 0
    return verdaccio
  }

  async function node(create: (dirs: Awaited<ReturnType<typeof makeRunDirs>>) => Executor, policy: object) {
    const dirs = await makeRunDirs()
    const executor = create(dirs)
    const dir = await writeCode(dirs, FILES)
    const code = { obtain: async () => ({ dir, release: async () => {} }), keep: () => new DisposableStack() }
    const { supervisor, close } = supervise(dirs, {
      executors: [executor],
      code,
      policy: () => policy,
      graceMs: 2000,
      stopOnClose: true,
    })
    onTestFinished(async () => {
      await close()
      expect(await executor.adopt()).toEqual([])
      await dirs[Symbol.asyncDispose]()
    })
    await supervisor.boot()
    const grant = grantOf(executor.name, { memoryBytes: 512 * MIB, diskBytes: 128 * MIB, pids: 128 })
    const run = (author: string) => supervisor.run({ ...serviceOf(RUN), author }, grant)
    return { supervisor, run, lines: () => linesOf(join(dirs.logs, 'service-1')) }
  }

  describe.each(EXECUTORS.filter(({ need }) => needs(need)))('on $name', ({ create }) => {
    test('finds them in REGISTRIES, and its log says what it reached', async () => {
      const { url, asked } = await registry()
      const { supervisor, run, lines } = await node(create, { REGISTRIES: { 'NODE.JS': [url] } })
      run('stranger')
      await until(async () => supervisor.status('service-1')?.healthy)
      expect(await talk(await supervisor.connect('service-1', 'http'), '')).toBe('good day')
      expect(new Set(asked)).toEqual(new Set(['/greeting', '/greeting/-/greeting-1.0.0.tgz']))
      const said = (await lines()).node.filter((line) => line.startsWith('network:'))
      expect(new Set(said.slice(0, -1))).toEqual(new Set([`network: ${new URL(url).host} allowed`]))
      expect(said.at(-1)).toMatch(/^network: .* received, .* sent$/)
    })

    test('finds nothing where the mirrors are for own services, and a stranger asks', async () => {
      const { url, asked } = await registry()
      const { supervisor, run } = await node(create, { REGISTRIES: { 'NODE.JS': [{ URL: url, OWN_ONLY: true }] } })
      run('stranger')
      await until(async () => supervisor.status('service-1')?.record.state === 'failed')
      expect(asked).toEqual([])
      run('own')
      await until(async () => supervisor.status('service-1')?.healthy)
      expect(asked).toContain('/greeting/-/greeting-1.0.0.tgz')
    })
  })
})
