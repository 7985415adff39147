import { rm } from 'node:fs/promises'
import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { formatAddress } from '../../../protocols/address.ts'
import { type CID, parseCid } from '../../../protocols/encoding.ts'
import { systemClock } from '../../../src/base/clock.ts'
import { silentLog } from '../../../src/base/log.ts'
import { systemRng } from '../../../src/base/rng.ts'
import type { BytePipe } from '../../../src/base/stream.ts'
import { createLightPeer, type LightPeer, type ThundercloudNode } from '../../../src/node/index.ts'
import { installPackages } from '../../fixtures/code/packages.ts'
import {
  addFolder,
  announce,
  bytesOf,
  createWorld,
  type NodeWorld,
  newSigner,
  stateOf,
} from '../../fixtures/node/nodes.ts'
import { needs } from '../../require.ts'

type Answer = { readonly status: number | undefined; readonly body: string }

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
  let world: NodeWorld
  let publisher: ThundercloudNode
  let code: string

  beforeAll(async () => {
    const folder = await installPackages()
    world = await createWorld()
    publisher = await world.start('publisher')
    code = await addFolder(publisher, folder)
    await rm(folder, { recursive: true, force: true })
  }, 300_000)
  afterAll(() => world?.[Symbol.asyncDispose]())

  describe.each(EXECUTORS.filter(({ need }) => needs(need)))('$executor', ({ executor }) => {
    // a worker trusts the author of its own services alone
    const author = newSigner()
    let worker: ThundercloudNode
    let visitor: LightPeer

    beforeAll(async () => {
      worker = await world.start(executor, {
        runner: {
          STATIC_NODES: publisher.multiaddrs(),
          TRUST_TREE: { ROOTS: { [formatAddress(author.address)]: { DEPTH: 0 } } },
          PREFER_TOOLCHAIN: { [executor]: ['node.js'] },
          LIMITS: { TOTAL, HEALTHY_SECONDS: 1 },
        },
      })
      visitor = await createLightPeer(
        { clock: systemClock(), rng: systemRng(), log: silentLog() },
        { network: 'test', join: publisher.multiaddrs(), author },
      )
    })
    afterAll(async () => {
      await visitor?.[Symbol.asyncDispose]()
      await world.stop(executor)
    })

    it.each(PACKAGES)(
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
        const answer = await get(visitor, id, path)
        expect(answer).toMatchObject({ status: 200, body: expect.stringContaining(says) })
      },
      120_000,
    )
  })
})

async function get(visitor: LightPeer, id: CID, path: string): Promise<Answer> {
  const pipe: BytePipe = await visitor.connect(id, 'http', { signal: AbortSignal.timeout(30_000) })
  return new Promise((resolve, reject) => {
    const asked = request({ path, createConnection: () => pipe as never }, (response) => {
      let body = ''
      response.on('data', (chunk: Buffer) => {
        body += chunk.toString()
      })
      response.on('end', () => resolve({ status: response.statusCode, body }))
    })
    asked.on('error', reject)
    asked.end()
  })
}

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
