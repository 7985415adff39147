import { execFile } from 'node:child_process'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, onTestFinished } from 'vitest'
import { parseCid } from '../../../protocols/encoding.ts'
import type { LightPeer, ThundercloudNode } from '../../../src/node/index.ts'
import { installPackages } from '../../fixtures/code/packages.ts'
import { startVerdaccio } from '../../fixtures/code/verdaccio.ts'
import { test, trustPolicyFor } from '../../fixtures/node/mesh.ts'
import { addFolder, newSigner, stateOf } from '../../fixtures/node/nodes.ts'
import { tempDir } from '../../fixtures/temp-dir.ts'
import { needs } from '../../require.ts'

const TOTAL = { MEMORY: '1GiB', CPU: '2', DISK: '512MiB', PIDS: 512, RUNS: 4 }
const EXECUTORS = [
  { executor: 'host', need: 'bubblewrap' },
  { executor: 'docker', need: 'engine' },
] as const

/** Its own packages, and beyond them those of the registry at UPSTREAM; what is named otherwise comes from a host that is not granted. */
const REGISTRY = `const { writeFileSync } = require('node:fs')
const patience = { timeout: '5s', max_fails: 1, maxage: '1s' }
writeFileSync('/work/registry.yaml', JSON.stringify({
  storage: '/work/storage', auth: { htpasswd: { file: '/work/htpasswd' } }, web: { enable: false },
  log: { type: 'stdout', format: 'json', level: 'warn' },
  uplinks: { upstream: { url: 'http://' + process.env.UPSTREAM, ...patience }, denied: { url: 'http://denied.example', ...patience } },
  packages: { greeting: { access: '$all', proxy: 'upstream' }, '**': { access: '$all', proxy: 'denied' } },
}))
process.argv.push('--config', '/work/registry.yaml', '--listen', '127.0.0.1:8080')
require('./node_modules/verdaccio/bin/verdaccio')
`

describe.skipIf(!needs('registry'))('a registry of npm as a service, with another behind it', () => {
  let packages: string
  let publisher: ThundercloudNode
  let code: string

  test.beforeAll(async ({ fileMesh: mesh }) => {
    packages = await installPackages()
    await writeFile(join(packages, 'registry.js'), REGISTRY)
    publisher = await mesh.start('publisher')
    code = await addFolder(publisher, packages)
  }, 300_000)
  test.afterAll(() => rm(packages, { recursive: true, force: true }))

  test.for(EXECUTORS.filter(({ need }) => needs(need)))(
    'on $executor: npm installs through a tunnel what only the other has, and no further host is reached',
    { timeout: 300_000 },
    async ({ executor }, { fileMesh: mesh }) => {
      const upstream = await startVerdaccio(packages, await tempDir())
      const greeting = join(await tempDir(), 'greeting')
      await mkdir(greeting)
      await writeFile(join(greeting, 'package.json'), JSON.stringify({ name: 'greeting', version: '1.0.0' }))
      await writeFile(join(greeting, 'index.js'), `module.exports = 'good day'`)
      await upstream.publish(greeting)
      upstream.asked.length = 0

      const author = newSigner()
      const granted = `localhost:${new URL(upstream.url).port}`
      const runner = {
        ...trustPolicyFor(author),
        PREFER_TOOLCHAIN: { [executor]: ['node.js'] },
        LIMITS: { TOTAL, HEALTHY_SECONDS: 1 },
        NETCAP: { MODE: 'allowlist', ALLOW: [granted] },
      }
      const worker = await mesh.join(executor, publisher, { runner })
      const id = await mesh.publish(publisher, {
        ...{ author, code, name: 'registry', network: [granted] },
        run: {
          command: ['node', 'registry.js'],
          env: { UPSTREAM: granted },
          ports: [{ name: 'http', port: 8080 }],
          kind: 'service',
        },
        resources: { memory: '256MiB', disk: '128MiB', cpu: '1', pids: 64 },
      })
      await stateOf(worker, id, 'running', 120_000)
      expect(worker.service(id).run?.executor).toBe(executor)

      const visitor = await mesh.visitor(publisher, author)
      const registry = await localPort(visitor, id)
      const home = await tempDir()
      await writeFile(join(home, 'package.json'), '{}')
      const npm = (...args: string[]) =>
        promisify(execFile)('npm', [...args, '--registry', registry, '--fetch-retries=0'], {
          cwd: home,
          env: { PATH: process.env.PATH, HOME: home, npm_config_cache: join(home, 'cache') },
          timeout: 120_000,
        })
      await npm('install', 'greeting')
      expect(await readFile(join(home, 'node_modules/greeting/index.js'), 'utf8')).toContain('good day')
      expect(new Set(upstream.asked)).toEqual(new Set(['/greeting', '/greeting/-/greeting-1.0.0.tgz']))
      // it is the service's own from now on
      await upstream.stop()
      await rm(join(home, 'node_modules'), { recursive: true })
      await npm('install', 'greeting', '--force', '--cache', join(home, 'empty'))
      expect(await readFile(join(home, 'node_modules/greeting/index.js'), 'utf8')).toContain('good day')
      await expect(npm('view', 'left-pad')).rejects.toThrow(/E50\d|E404|ENOTFOUND/)
    },
  )
})

/** As `thundercloud connect` does it: a port here, and a tunnel for each connection. */
async function localPort(visitor: LightPeer, id: string): Promise<string> {
  const server = createServer({ allowHalfOpen: true }, async (socket) => {
    socket.on('error', () => {})
    const pipe = await visitor.connect(parseCid(id), 'http', { signal: AbortSignal.timeout(30_000) })
    pipe.on('error', () => socket.destroy())
    socket.pipe(pipe)
    pipe.pipe(socket)
  })
  onTestFinished(() => void server.close())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
