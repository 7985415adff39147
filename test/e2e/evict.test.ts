import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { listFolder, packEntries } from '../../src/code/index.ts'
import { announce, bytesOf, newSigner } from '../fixtures/node/nodes.ts'
import { needs } from '../require.ts'
import { type NodeProcess, startNode } from './support/node-process.ts'
import { journalledRuns, makeScratch, type Scratch } from './support/scratch.ts'

/** It takes its time to end, so that the node is killed in the middle. */
const STUBBORN = `process.on('SIGTERM', () => setTimeout(() => process.exit(0), 1500))
require('node:http').createServer((_, answer) => answer.end('here')).listen(8080, '127.0.0.1')`
const LIMITS = { TOTAL: { MEMORY: '1GiB', CPU: '1', DISK: '256MiB', PIDS: 512, RUNS: 1 }, EVICT: true }

describe.skipIf(!needs('bubblewrap'))('a node that is killed while one run makes room for another', () => {
  const author = newSigner()
  let scratch: Scratch
  let publisher: NodeProcess
  let node: NodeProcess
  let code: string

  const start = async (...args: string[]) => startNode(scratch.dir('b'), { args, env: await scratch.env('b') })
  const stateOf = async (id: string) => (await node.api.service(id).catch(() => undefined))?.state

  beforeAll(async () => {
    scratch = await makeScratch()
    await scratch.publisher('a')
    publisher = await startNode(scratch.dir('a'), { env: await scratch.env('a') })
    code = (
      await publisher.api.addArchive(packEntries(await listFolder(await scratch.code('c', { 'server.js': STUBBORN }))))
    ).code
    const policy = { LIMITS, PREFER_HOSTCHAINS: { btc: {} } }
    await scratch.runner('b', { executor: 'host', author, join: publisher.multiaddrs, policy })
    node = await start('--stop-runs')
    await publisher.hears(({ event, peer }) => event === 'network:peer-connected' && peer === node.peerId)
  })
  afterAll(async () => {
    await node?.quit()
    await publisher?.[Symbol.asyncDispose]()
    await scratch?.[Symbol.asyncDispose]()
  })

  async function publish(name: string, hostchains: readonly string[]): Promise<string> {
    const resources = { memory: '64MiB', disk: '4MiB', cpu: '0.5', pids: 32 }
    const manifest = { name, code, hostchains, resources, replyTo: publisher.multiaddrs }
    const announcement = announce(author, manifest)
    await publisher.api.announce(bytesOf(announcement))
    return announcement.signed.id.toString()
  }

  it('finds both where they were: one waits, the other runs, and nothing ran twice', async () => {
    const plain = await publish('plain', [])
    await expect.poll(() => stateOf(plain), { timeout: 45_000 }).toBe('running')
    let kill: Promise<void> | undefined
    const better = publish('better', ['btc'])
    await node.hearsAtOnce(
      ({ event, id }) => event === 'node:evicted' && id === plain,
      () => {
        kill = node.kill()
      },
    )
    await kill
    const [betterRun, plainRun] = await Promise.all([better, plain]).then((ids) =>
      ids.map((id) => journalledRuns(scratch.dir('b'), id)),
    )
    expect(betterRun).toMatchObject([{ state: 'decided' }])
    expect(plainRun).toMatchObject([{ state: 'running', wanted: 'stop' }])

    node = await start('--stop-runs')
    await expect.poll(async () => stateOf(await better), { timeout: 45_000 }).toBe('running')
    expect(await stateOf(plain)).toBe('parked')
    expect((await node.api.health()).running).toBe(1)
    expect(journalledRuns(scratch.dir('b'))).toHaveLength(2)
    // and back again, when there is room
    await node.api.stop(await better)
    await expect.poll(() => stateOf(plain), { timeout: 45_000 }).toBe('running')
  })
})
