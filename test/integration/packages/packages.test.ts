import { rm } from 'node:fs/promises'
import { describe, expect } from 'vitest'
import { type CID, parseCid } from '../../../protocols/encoding.ts'
import type { LightPeer, ThundercloudNode } from '../../../src/node/index.ts'
import { installPackages } from '../../fixtures/code/packages.ts'
import { httpGet, test, trusting } from '../../fixtures/node/mesh.ts'
import { addFolder, announce, bytesOf, newSigner, stateOf } from '../../fixtures/node/nodes.ts'
import { needs } from '../../require.ts'

/** The commands of docs/what-a-service-gets.md, and what a first visitor sees. */
const PACKAGES = [
  { name: 'http-server', arguments: ['public', '-a', '127.0.0.1', '-p', '8080', '-c-1'], path: '/', says: 'A page' },
  { name: 'serve', arguments: ['-l', 'tcp://127.0.0.1:8080', 'public'], path: '/', says: 'A page' },
  {
    name: 'json-server',
    arguments: ['--host', '127.0.0.1', '--port', '8080', 'db.js'],
    path: '/posts',
    says: 'a post of the tests',
  },
  {
    name: 'verdaccio',
    arguments: ['--config', 'verdaccio.yaml', '--listen', '127.0.0.1:8080'],
    path: '/-/ping',
    says: '{}',
  },
]

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
        ...trusting(author),
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

    test.each(PACKAGES)(
      '$name answers through a tunnel',
      async ({ name, arguments: args, path, says }) => {
        const announcement = announce(author, {
          name,
          code,
          replyTo: publisher.multiaddrs(),
          run: {
            command: [`node_modules/.bin/${name}`, ...args],
            ports: [{ name: 'http', port: 8080 }],
            kind: 'service',
          },
          resources: { memory: '256MiB', disk: '128MiB', cpu: '0.5', pids: 64 },
        })
        const id = announcement.signed.id
        await publisher.receive(bytesOf(announcement), { asPublisher: true })
        await stateOf(worker, id.toString(), 'running', 45_000).catch(async (error: Error) => {
          throw new Error(`${error.message}: ${(await linesOf(visitor, id)).join('\n')}`)
        })
        expect(worker.service(id.toString()).run?.executor).toBe(executor)
        const pipe = await visitor.connect(id, 'http', { signal: AbortSignal.timeout(30_000) })
        expect(await httpGet(pipe, path)).toMatchObject({ status: 200, body: expect.stringContaining(says) })
      },
      120_000,
    )
  })
})

async function linesOf(visitor: LightPeer, id: CID): Promise<string[]> {
  const lines: string[] = []
  try {
    const asked = { tail: 20, follow: false, signal: AbortSignal.timeout(45_000) }
    for await (const { line } of visitor.logs(parseCid(id.toString()), asked)) lines.push(line)
  } catch (error) {
    lines.push(String(error))
  }
  return lines
}
