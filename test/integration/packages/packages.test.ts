import { rm } from 'node:fs/promises'
import { describe, expect } from 'vitest'
import { parseCid } from '../../../protocols/encoding.ts'
import type { LightPeer, ThundercloudNode } from '../../../src/node/index.ts'
import { installPackages } from '../../fixtures/code/packages.ts'
import { httpGet, test, trustPolicyFor } from '../../fixtures/node/mesh.ts'
import { addFolder, newSigner, stateOf } from '../../fixtures/node/nodes.ts'
import { needs } from '../../require.ts'

/** The commands of docs/what-a-service-gets.md, and what a first visitor sees. */
const PACKAGES = [
  ['http-server', 'public -a 127.0.0.1 -p 8080 -c-1', '/', 'A page'],
  ['serve', '-l tcp://127.0.0.1:8080 public', '/', 'A page'],
  ['json-server', '--host 127.0.0.1 --port 8080 db.js', '/posts', 'a post of the tests'],
  ['verdaccio', '--config verdaccio.yaml --listen 127.0.0.1:8080', '/-/ping', '{}'],
] as const

const EXECUTORS = [
  { executor: 'host', need: 'bubblewrap' },
  { executor: 'docker', need: 'engine' },
] as const

const TOTAL = { MEMORY: '1GiB', CPU: '2', DISK: '512MiB', PIDS: 512, RUNS: 4 }

describe.skipIf(!needs('registry'))('packages from npm, published with node_modules as installed', () => {
  let publisher: ThundercloudNode
  let code: string

  test.beforeAll(async ({ fileMesh: mesh }) => {
    const folder = await installPackages()
    publisher = await mesh.start('publisher')
    code = await addFolder(publisher, folder)
    await rm(folder, { recursive: true, force: true })
  }, 300_000)

  describe.each(EXECUTORS.filter(({ need }) => needs(need)))('$executor', ({ executor }) => {
    // a worker trusts the author of its own services alone
    const author = newSigner()
    let worker: ThundercloudNode
    let visitor: LightPeer

    test.beforeAll(async ({ fileMesh: mesh }) => {
      const runner = {
        ...trustPolicyFor(author),
        PREFER_TOOLCHAIN: { [executor]: ['node.js'] },
        LIMITS: { TOTAL, HEALTHY_SECONDS: 1 },
      }
      worker = await mesh.join(executor, publisher, { runner })
      visitor = await mesh.visitor(publisher, author)
    })
    test.afterAll(async ({ fileMesh: mesh }) => {
      await visitor?.[Symbol.asyncDispose]()
      await mesh.stop(executor)
    })

    test.for(PACKAGES)('%s answers through a tunnel', async ([name, args, path, says], { fileMesh: mesh }) => {
      const command = [`node_modules/.bin/${name}`, ...args.split(' ')]
      const run = { command, ports: [{ name: 'http', port: 8080 }], kind: 'service' }
      const resources = { memory: '256MiB', disk: '128MiB', cpu: '0.5', pids: 64 }
      const id = await mesh.publish(publisher, { author, name, code, run, resources })
      await stateOf(worker, id, 'running', 45_000).catch(async (error: Error) => {
        throw new Error(`${error.message}: ${(await linesOf(visitor, id)).join('\n')}`)
      })
      expect(worker.service(id).run?.executor).toBe(executor)
      const pipe = await visitor.connect(parseCid(id), 'http', { signal: AbortSignal.timeout(30_000) })
      expect(await httpGet(pipe, path)).toMatchObject({ status: 200, body: expect.stringContaining(says) })
    })
  })
})

async function linesOf(visitor: LightPeer, id: string): Promise<string[]> {
  const asked = { tail: 20, follow: false, signal: AbortSignal.timeout(45_000) }
  const lines = await Array.fromAsync(visitor.logs(parseCid(id), asked)).catch((error: unknown) => [
    { line: `${error}` },
  ])
  return lines.map(({ line }) => line)
}
