import { describe, expect, it } from 'vitest'
import { formatAddress } from '../../protocols/address.ts'
import { parseCid } from '../../protocols/encoding.ts'
import { listFolder, packEntries } from '../../src/code/index.ts'
import { createLightPeer } from '../../src/node/index.ts'
import { importPostgresImage } from '../fixtures/execution/postgres-image.ts'
import { httpGet } from '../fixtures/node/mesh.ts'
import { announce, bytesOf, newSigner } from '../fixtures/node/nodes.ts'
import { system } from '../fixtures/system.ts'
import { needs } from '../require.ts'
import { killPool, removePool } from './support/leftovers.ts'
import { MIB, makeScratch } from './support/scratch.ts'

/** Each word that is put is a row; the database is begun again when it has ended. It is kept where the pool has data. */
const SERVICE = `const { execFileSync, spawn } = require('node:child_process'), http = require('node:http'), { existsSync, mkdirSync } = require('node:fs')
const [bin, data, socket] = [process.env.BIN, (process.env.THUNDERCLOUD_DATA ?? '/work') + '/data', '/work/socket']
const sql = text => execFileSync(bin + '/psql', ['-h', socket, '-U', 'web', '-d', 'postgres', '-v', 'ON_ERROR_STOP=1', '-Atc', text], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim()
let postmaster
function begin() {
  const set = ['listen_addresses=', 'unix_socket_directories=' + socket, 'shared_buffers=8MB', 'max_connections=8', 'dynamic_shared_memory_type=mmap']
  postmaster = spawn(bin + '/postgres', ['-D', data, ...set.flatMap(one => ['-c', one])], { stdio: ['ignore', 'inherit', 'inherit'] })
  postmaster.on('exit', () => setTimeout(begin, 200))
}
mkdirSync(socket)
if (!existsSync(data + '/PG_VERSION')) execFileSync(bin + '/initdb', ['-D', data, '-U', 'web', '--auth=trust', '--no-locale', '-E', 'UTF8', '--wal-segsize=1'], { stdio: 'inherit' })
begin()
const server = http.createServer((request, response) => {
  const [, what, word] = request.url.split('/')
  try {
    if (what === 'put') sql("INSERT INTO words VALUES ('" + word.replace(/[^a-z]/g, '') + "')")
    if (what === 'kill') postmaster.kill('SIGKILL')
    response.end(what === 'get' ? sql('SELECT word FROM words ORDER BY word') : 'ok')
  } catch (error) { response.writeHead(503).end(String(error)) }
})
function ready() {
  try { sql('CREATE TABLE IF NOT EXISTS words (word text)') } catch { return setTimeout(ready, 100) }
  server.listen(8080, '127.0.0.1')
}
ready()
`

describe.skipIf(!needs('engine') || !needs('postgres'))('a web service with PostgreSQL, in a pool', () => {
  /** A publisher, a node with a pool, and a service in it that a visitor asks. */
  async function deploy(stack: AsyncDisposableStack, { dataBytes }: { dataBytes?: number } = {}) {
    const image = await importPostgresImage(`tc-test/postgres-${process.pid}`)
    stack.defer(image.remove)
    const scratch = stack.use(await makeScratch())
    await scratch.publisher('a')
    const publisher = stack.use(await scratch.start('a'))
    const author = newSigner()
    const pool = `database-${formatAddress(author.address)}-node`
    const policy = { CONTAINERS: [pool] }
    await scratch.runner('b', { executor: 'docker', author, join: publisher.multiaddrs, policy })
    const node = await scratch.start('b')
    stack.defer(() => removePool(pool))
    await node.api.pools.create({
      ...{ name: pool, image: image.name, memoryBytes: 768 * MIB, cpuMillicores: 1000, pids: 256, dataBytes },
    })
    await publisher.waitForEvent(({ event, peer }) => event === 'network:peer-connected' && peer === node.peerId)
    const dir = await scratch.code('web', { 'main.js': SERVICE })
    const { code } = await publisher.api.addArchive(packEntries(await listFolder(dir)))
    const visitor = stack.use(await createLightPeer(system, { network: 'test', join: publisher.multiaddrs, author }))
    const publish = async (change = {}) => {
      const announcement = announce(author, {
        ...{ name: 'words', code, replyTo: publisher.multiaddrs },
        run: {
          command: ['node', 'main.js'],
          env: { BIN: image.bin },
          ports: [{ name: 'http', port: 8080 }],
          kind: 'service',
        },
        resources: { memory: '256MiB', disk: '192MiB', cpu: '0.5', pids: 64 },
        ...change,
      })
      await publisher.api.announce(bytesOf(announcement))
      return announcement.signed.id.toString()
    }
    const ask = async (id: string, path: string) => {
      const pipe = await visitor.connect(parseCid(id), 'http', { signal: AbortSignal.timeout(30_000) })
      return (await httpGet(pipe, path)).body
    }
    return { scratch, node, pool, publish, ask }
  }

  it('keeps what was committed when its postmaster is killed, and when its node is', { timeout: 300_000 }, async () => {
    await using stack = new AsyncDisposableStack()
    const { scratch, node: first, publish, ask } = await deploy(stack)
    let node = first
    const id = await publish()
    const run = async () => (await node.api.service(id).catch(() => undefined))?.run
    await expect.poll(run, { timeout: 90_000 }).toMatchObject({ executor: 'pool', healthy: true })
    const before = await run()

    const words = () => ask(id, '/get').catch(String)
    expect(await ask(id, '/put/first')).toBe('ok')
    expect(await ask(id, '/kill')).toBe('ok')
    await expect.poll(words, { timeout: 60_000 }).toBe('first')
    expect(await ask(id, '/put/second')).toBe('ok')

    await node.kill()
    node = await scratch.start('b', '--stop-runs')
    await expect.poll(words, { timeout: 60_000 }).toBe('first\nsecond')
    expect(await run()).toMatchObject({ runId: before?.runId, restarts: 0 })
    expect(await node.quit()).toMatchObject({ code: 0 })
  })

  it('keeps its data when node and pool are killed at once, and in its next version', {
    timeout: 300_000,
  }, async () => {
    await using stack = new AsyncDisposableStack()
    const { scratch, node: first, pool, publish, ask } = await deploy(stack, { dataBytes: 128 * MIB })
    let node = first
    const states = async (id: string) => (await node.api.service(id).catch(() => undefined))?.run
    const one = await publish()
    await expect.poll(() => states(one), { timeout: 90_000 }).toMatchObject({ executor: 'pool', healthy: true })
    expect(await ask(one, '/put/first')).toBe('ok')

    await node.kill()
    killPool(pool)
    node = await scratch.start('b', '--stop-runs')
    await expect.poll(() => ask(one, '/get').catch(String), { timeout: 90_000 }).toBe('first')

    const two = await publish({ seq: 2 })
    await expect.poll(() => states(two), { timeout: 90_000 }).toMatchObject({ executor: 'pool', healthy: true })
    expect(await states(one)).toMatchObject({
      state: 'stopped',
      detail: expect.stringMatching(/only one version at a time/),
    })
    expect(await ask(two, '/put/second')).toBe('ok')
    expect(await ask(two, '/get')).toBe('first\nsecond')
    expect(await node.quit()).toMatchObject({ code: 0 })
  })
})
