import { execFileSync } from 'node:child_process'
import { randomFillSync } from 'node:crypto'
import { cpSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { formatAddress } from '../../../protocols/address.ts'
import { parseCid } from '../../../protocols/encoding.ts'
import { loadIdentity } from '../../../src/config/index.ts'
import type { ThundercloudNode } from '../../../src/node/index.ts'
import { eventually, type Mesh, ON_HOST, test, trustPolicyFor, waitForState } from '../../fixtures/node/mesh.ts'
import { addFolder, HELLO_WEB, newSigner, stateOf } from '../../fixtures/node/nodes.ts'
import { system } from '../../fixtures/system.ts'
import { tempDir } from '../../fixtures/temp-dir.ts'
import { delegationBy } from '../../fixtures/trust/statements.ts'
import { needs } from '../../require.ts'

const MIB = 2 ** 20
const author = newSigner()

async function addLarge(mesh: Mesh, node: ThundercloudNode, mib: number): Promise<string> {
  const folder = join(mesh.root, `code-${mib}`)
  cpSync(HELLO_WEB, folder, { recursive: true })
  writeFileSync(join(folder, 'large'), randomFillSync(new Uint8Array(mib * MIB)))
  return await addFolder(node, folder)
}

describe.skipIf(!needs('bubblewrap'))('R8: what was redirected', () => {
  /** A worker that has redirected what another node published. */
  async function redirected(mesh: Mesh) {
    const because = { rule: 'trust', outcome: 'pass', message: expect.stringMatching(/root of the trust tree/) }
    const publisher = await mesh.start('publisher')
    const worker = await mesh.join('worker', publisher, { runner: ON_HOST })
    const id = await mesh.publish(publisher, { author })
    await waitForState(worker, id, 'redirected')
    expect(worker.services()).toMatchObject([{ id }])
    return { publisher, worker, id, starts: [{ id, from: 'redirected', to: 'run', because }] }
  }

  test('is run by a policy that admits it', async ({ mesh }) => {
    const { publisher, worker, id, starts } = await redirected(mesh)
    const text = await mesh.policyWith('worker', trustPolicyFor(author))
    expect(await worker.previewPolicy(text)).toMatchObject({ changes: starts })
    expect(await worker.applyPolicy(text)).toMatchObject({ changes: [], background: 1 })
    await stateOf(worker, id, 'running')
    await eventually(() => expect(publisher.service(id).receipts).toMatchObject([{ state: 'running' }]))
  })

  test('is what a root lets in said beforehand, and then run, and ended when the root lets it out', async ({
    mesh,
  }) => {
    const { worker, id, starts } = await redirected(mesh)
    const { signer } = await loadIdentity(mesh.dir('worker'))
    const delegation = delegationBy(signer, author, system)
    expect(await worker.previewStatement(delegation)).toMatchObject({ changes: starts, asked: 1 })
    // of an author of nothing, by a root of no author, and what was only looked at
    for (const other of [delegationBy(signer, newSigner(), system), delegationBy(newSigner(), author, system)]) {
      expect(await worker.previewStatement(other)).toMatchObject({ changes: [], asked: 0 })
    }
    expect(worker.trustTree(formatAddress(author.address)).asked).toMatchObject({ in: false })
    // vouched for by an author that is vouched for only now
    const friend = newSigner()
    await worker.submitStatement(delegationBy(friend, author, system))
    const deeper = delegationBy(signer, friend, system, { depth: 1 })
    expect(await worker.previewStatement(deeper)).toMatchObject({ changes: starts })
    await worker.submitStatement(delegation, { asPublisher: true })
    await stateOf(worker, id, 'running')
    const revocation = delegationBy(signer, author, system, { seq: 2, revoked: true })
    const { changes } = await worker.previewStatement(revocation)
    expect(changes).toMatchObject([{ id, from: 'run', to: 'redirected', because: { rule: 'trust', outcome: 'fail' } }])
    expect(worker.service(id).state).toBe('running')
    await worker.submitStatement(revocation, { asPublisher: true })
    await stateOf(worker, id, 'stopped')
    await expect(worker.previewStatement(delegation)).rejects.toThrow(
      /a later statement of the same subject is in force/,
    )
  })
})

describe.skipIf(!needs('engine') || !needs('bubblewrap'))('R9: a toolchain that is no longer granted', () => {
  test('ends what runs by it, SERVICES too; where another executor is granted, it begins again there', async ({
    mesh,
  }) => {
    const services = { SERVICES: { 'hello-web': { DIR: HELLO_WEB } } }
    const node = await mesh.start('node', { runner: trustPolicyFor(author), services })
    const own = () => node.services().find((service) => service.author === node.address)
    const id = await mesh.publish(node, { author, asPublisher: false })
    await stateOf(node, id, 'running')
    expect(node.service(id).run?.executor).toBe('docker')
    await eventually(() => expect(own()).toMatchObject({ state: 'running', run: { executor: 'docker' } }))

    const before = await mesh.policyWith('node', {})
    const text = await mesh.policyWith('node', { PREFER_TOOLCHAIN: { docker: [], host: ['node.js'] } })
    const none = await mesh.policyWith('node', { PREFER_TOOLCHAIN: { docker: [], host: [] } })
    const moves = [{ id, from: 'run', to: 'parked', moves: 'host' }]
    expect(await node.previewPolicy(text)).toMatchObject({ changes: moves })
    await node.applyPolicy(text)
    const onHost = { state: 'running', run: { executor: 'host' } }
    await eventually(() => {
      expect(node.service(id)).toMatchObject(onHost)
      expect(own()).toMatchObject(onHost)
    })
    // a run on the host stays there when Docker is granted again: nothing takes its place away
    await node.applyPolicy(before)
    expect(node.service(id)).toMatchObject(onHost)
    await node.applyPolicy(none)
    await stateOf(node, id, 'stopped')
    const { verdict } = await node.explain(id)
    expect(verdict.reasons.find(({ rule }) => rule === 'toolchain')).toMatchObject({ outcome: 'fail' })
  })
})

describe.skipIf(!needs('engine'))('R11: a folder of code whose toolchain names docker too', () => {
  test('runs in Docker, with the image of the other word', async ({ mesh }) => {
    const runner = { PREFER_TOOLCHAIN: { docker: ['node.js'] }, ...trustPolicyFor(author) }
    const node = await mesh.start('only', { runner })
    const id = await mesh.publish(node, { author, toolchain: ['docker', 'node.js'], asPublisher: false })
    await stateOf(node, id, 'running')
    expect((await node.explain(id)).verdict.run).toMatchObject({ executor: 'docker' })
  })
})

/** Writes a file that leaves so much. */
function fill(dir: string, leaving: number): string {
  const path = join(dir, 'ballast')
  const { bavail, bsize } = statfsSync(dir)
  writeFileSync(path, new Uint8Array(Math.max(0, bavail * bsize - leaving)))
  return path
}

describe.skipIf(!needs('root') || !needs('bubblewrap'))('R12: a full disk', () => {
  test('fails no run for good: it waits, and begins when there is space; a start says which folder and what to do', async ({
    mesh,
  }) => {
    const publisher = await mesh.start('publisher')
    await mesh.join('worker', publisher, { runner: { ...ON_HOST, ...trustPolicyFor(author) } })
    await mesh.stop('worker')
    const data = join(mesh.dir('worker'), 'data')
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=48m', 'tmpfs', data])
    try {
      const worker = await mesh.join('worker', publisher)
      const code = await addLarge(mesh, publisher, 6)
      const ballast = fill(data, 3 * MIB)
      const id = await mesh.publish(publisher, { author, code })
      await eventually(() => expect(worker.service(id).run?.detail).toMatch(/waits for disk space/))
      expect(worker.service(id).state).toBe('accepted')
      rmSync(ballast)
      await stateOf(worker, id, 'running')
      await mesh.stop('worker')
      fill(data, 0)
      await expect(mesh.start('worker')).rejects.toThrow(
        new RegExp(`the disk with ${data} is full.*free some space, or name a folder on another disk as DATA`),
      )
      // what is known of peers is not taken for ruined
      expect(readdirSync(data)).not.toContain('network.ruined')
    } finally {
      await mesh.stop('worker')
      execFileSync('umount', ['-l', data])
    }
  })
})

describe.skipIf(!needs('bubblewrap'))('R12: a code store that is full of code in use', () => {
  test('lets a run wait, and says so to its publisher; what it could never hold has failed at once', async ({
    mesh,
  }) => {
    const publisher = await mesh.start('publisher')
    const node = { QUOTAS: { CODE_STORE: '8MiB' } }
    const worker = await mesh.join('worker', publisher, { node, runner: { ...ON_HOST, ...trustPolicyFor(author) } })
    const resources = { memory: '96MiB', disk: '32MiB', cpu: '0.5', pids: 32 }
    const publish = async (name: string, mib: number) =>
      mesh.publish(publisher, { author, name, code: await addLarge(mesh, publisher, mib), resources })
    const detail = (id: string) => worker.service(id).run?.detail
    const first = await publish('first', 3)
    await stateOf(worker, first, 'running')
    const second = await publish('second', 2)
    await eventually(() => expect(detail(second)).toMatch(/waits for disk space.*the code store may use 8 MiB/))
    expect(worker.service(second).state).toBe('accepted')
    const third = await publish('third', 9)
    await stateOf(worker, third, 'failed')
    expect(detail(third)).toMatch(/the code store may use 8 MiB in all/)
    await worker.stop(first)
    await stateOf(worker, second, 'running')
  })
})

describe.each([
  { name: 'host', need: 'bubblewrap', prefer: { host: ['node.js'] } },
  { name: 'docker', need: 'engine', prefer: { docker: ['node.js'] } },
] as const)('N6: the folder of sockets is removed while a service runs ($name)', ({ need, prefer }) => {
  test.skipIf(!needs(need))('it is reached again', async ({ mesh }) => {
    const RUNTIME = join(await tempDir(), 'r')
    const runner = { PREFER_TOOLCHAIN: prefer, ...trustPolicyFor(author) }
    const node = await mesh.start('only', { runner, node: { RUNTIME } })
    const id = await mesh.publish(node, { author, asPublisher: false })
    await stateOf(node, id, 'running')
    await using peer = await mesh.visitor(node, author)
    const answer = async () => {
      const pipe = await peer.connect(parseCid(id), 'http', { signal: AbortSignal.timeout(5000) })
      pipe.write('GET / HTTP/1.0\r\n\r\n')
      let text = ''
      for await (const chunk of pipe) text += chunk
      return text
    }
    expect(await answer()).toContain('hello-web')
    await rm(RUNTIME, { recursive: true })
    await expect
      .poll(() => answer().catch((error: Error) => error.message), { timeout: 40_000, interval: 500 })
      .toContain('hello-web')
  })
})
