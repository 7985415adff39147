import { execFileSync } from 'node:child_process'
import { randomFillSync } from 'node:crypto'
import { cpSync, mkdirSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { formatAddress } from '../../../protocols/address.ts'
import { InputError, isDiskFull } from '../../../src/base/errors.ts'
import { describeError, exitCodeOf } from '../../../src/cli/errors.ts'
import { DiskFullError } from '../../../src/code/errors.ts'
import { createBench, GRANT, serviceOf } from '../../fixtures/execution/supervisor-harness.ts'
import { addFolder, announce, bytesOf, createWorld, HELLO_WEB, newSigner, stateOf } from '../../fixtures/node/nodes.ts'
import { needs } from '../../require.ts'

const MIB = 2 ** 20

/** A file that leaves so much. */
function fill(dir: string, leaving: number): string {
  const path = join(dir, 'ballast')
  const { bavail, bsize } = statfsSync(dir)
  writeFileSync(path, new Uint8Array(Math.max(0, bavail * bsize - leaving)))
  return path
}

it('is the sentence also where closing what was open failed because of it', () => {
  const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
  expect(isDiskFull(new SuppressedError(new Error('the journal is closed'), full))).toBe(true)
  const first = new InputError('the disk is full')
  const both = new SuppressedError(new Error('later'), new SuppressedError(new Error('between'), first))
  expect([describeError(both), exitCodeOf(both)]).toEqual(['the disk is full', 2])
})

describe.skipIf(!needs('root') || !needs('bubblewrap'))('a full disk', () => {
  it('fails no run for good: it waits, and begins when there is room; a start says which folder and what to do', async () => {
    await using nodes = await createWorld()
    const author = newSigner()
    const runner = {
      PREFER_TOOLCHAIN: { host: ['node.js'] },
      TRUST_TREE: { ROOTS: { [formatAddress(author.address)]: { DEPTH: 0 } } },
    }
    const publisher = await nodes.start('publisher')
    await nodes.start('worker', { runner: { ...runner, STATIC_NODES: publisher.multiaddrs() } })
    await nodes.stop('worker')
    const data = join(nodes.dir('worker'), 'data')
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=48m', 'tmpfs', data])
    try {
      const worker = await nodes.start('worker')
      await vi.waitFor(() => expect(publisher.peers()).toHaveLength(1), { timeout: 45_000 })
      const folder = join(nodes.root, 'code')
      cpSync(HELLO_WEB, folder, { recursive: true })
      mkdirSync(join(folder, 'assets'))
      writeFileSync(join(folder, 'assets/large'), randomFillSync(new Uint8Array(6 * MIB)))
      const code = await addFolder(publisher, folder)
      const ballast = fill(data, 3 * MIB)
      const announcement = announce(author, { code, replyTo: publisher.multiaddrs() })
      const id = announcement.signed.id.toString()
      await publisher.receive(bytesOf(announcement), { asPublisher: true })
      await vi.waitFor(() => expect(worker.service(id).run?.detail).toMatch(/waits for disk space/), {
        timeout: 45_000,
        interval: 100,
      })
      expect(worker.service(id).state).toBe('accepted')
      rmSync(ballast)
      await stateOf(worker, id, 'running', 60_000)
      await nodes.stop('worker')
      fill(data, 0)
      await expect(nodes.start('worker')).rejects.toThrow(
        new RegExp(`the disk with ${data} is full.*free some space, or name a folder on another disk as DATA`),
      )
      // what is known of peers is not taken for ruined
      expect(readdirSync(data)).not.toContain('network.ruined')
    } finally {
      await nodes.stop('worker')
      execFileSync('umount', ['-l', data])
    }
  }, 180_000)
})

describe.skipIf(!needs('bubblewrap'))('a code store that is full of code in use', () => {
  it('lets a run wait, and says so to its publisher; what it could never hold has failed at once', async () => {
    await using nodes = await createWorld()
    const author = newSigner()
    const publisher = await nodes.start('publisher')
    const worker = await nodes.start('worker', {
      node: { QUOTAS: { CODE_STORE: '8MiB' } },
      runner: {
        PREFER_TOOLCHAIN: { host: ['node.js'] },
        TRUST_TREE: { ROOTS: { [formatAddress(author.address)]: { DEPTH: 0 } } },
        STATIC_NODES: publisher.multiaddrs(),
      },
    })
    await vi.waitFor(() => expect(publisher.peers()).toHaveLength(1), { timeout: 45_000 })
    async function publish(name: string, mib: number): Promise<string> {
      const folder = join(nodes.root, name)
      cpSync(HELLO_WEB, folder, { recursive: true })
      writeFileSync(join(folder, 'large'), randomFillSync(new Uint8Array(mib * MIB)))
      const announcement = announce(author, {
        name,
        code: await addFolder(publisher, folder),
        replyTo: publisher.multiaddrs(),
        resources: { memory: '96MiB', disk: '32MiB', cpu: '0.5', pids: 32 },
      })
      await publisher.receive(bytesOf(announcement), { asPublisher: true })
      return announcement.signed.id.toString()
    }
    const detail = (id: string) => vi.waitFor(() => worker.service(id).run?.detail as string, { timeout: 45_000 })
    const first = await publish('first', 3)
    await stateOf(worker, first, 'running', 60_000)
    const second = await publish('second', 2)
    await vi.waitFor(
      async () => expect(await detail(second)).toMatch(/waits for disk space.*the code store may use 8 MiB/),
      {
        timeout: 45_000,
        interval: 100,
      },
    )
    expect(worker.service(second).state).toBe('accepted')
    const third = await publish('third', 9)
    await stateOf(worker, third, 'failed', 60_000)
    expect(await detail(third)).toMatch(/the code store may use 8 MiB in all/)
    await worker.stop(first)
    await stateOf(worker, second, 'running', 60_000)
  }, 180_000)
})

describe('code on a full disk', () => {
  it('is waited for also where the process that unpacks met it', async () => {
    await using bench = await createBench()
    let isFull = true
    bench.code.onObtain = async () => {
      if (isFull) throw new DiskFullError('the disk of /x is full; free some space there')
    }
    bench.start().run(serviceOf('a'), GRANT)
    await bench.clock.advance(120_000)
    expect(bench.state('a')).toBe('fetching')
    isFull = false
    await bench.clock.advance(6_000)
    await bench.until(() => bench.state('a') === 'running')
  })
})

describe('the journal on a full disk', () => {
  it('lets a run wait with what it has to write', async () => {
    await using bench = await createBench()
    const supervisor = bench.start()
    const full = Object.assign(new Error('database or disk is full'), { errcode: 13 })
    let isFull = true
    const { update } = bench.journal
    bench.journal.update = (runId, change) => {
      if (isFull) throw full
      update(runId, change)
    }
    supervisor.run(serviceOf('a'), GRANT)
    await bench.clock.advance(60_000)
    expect(bench.state('a')).toBe('decided')
    isFull = false
    await bench.clock.advance(6_000)
    await bench.until(() => bench.state('a') === 'running')
  })
})
