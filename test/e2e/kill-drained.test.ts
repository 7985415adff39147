import { describe, expect, it } from 'vitest'
import { listFolder, packEntries } from '../../src/code/index.ts'
import { announce, bytesOf, HELLO_WEB, newSigner } from '../fixtures/node/nodes.ts'
import { needs } from '../require.ts'
import { makeScratch } from './support/scratch.ts'

describe.skipIf(!needs('bubblewrap'))('a node that is killed while it is drained', () => {
  it('is drained still, and its run goes on', async () => {
    await using scratch = await makeScratch()
    await scratch.publisher('a')
    await using publisher = await scratch.start('a')
    const { code } = await publisher.api.addArchive(packEntries(await listFolder(HELLO_WEB)))
    const author = newSigner()
    await scratch.runner('b', { executor: 'host', author, join: publisher.multiaddrs })
    let node = await scratch.start('b')
    await publisher.waitForEvent(({ event, peer }) => event === 'network:peer-connected' && peer === node.peerId)
    const announcement = announce(author, { name: 'drained', code, replyTo: publisher.multiaddrs })
    const id = announcement.signed.id.toString()
    await publisher.api.announce(bytesOf(announcement))
    const run = async () => (await node.api.service(id).catch(() => undefined))?.run
    await expect.poll(async () => (await run())?.healthy, { timeout: 45_000 }).toBe(true)
    const before = await run()
    const drain = await node.api.drain({ deadlineSeconds: 3600 })
    await node.kill()

    node = await scratch.start('b', '--stop-runs')
    await expect.poll(async () => (await run())?.healthy, { timeout: 45_000 }).toBe(true)
    expect((await run())?.runId).toBe(before?.runId)
    expect((await node.api.drainView()).drain).toMatchObject({ ...drain, waiting: [{ id }] })
    await node.api.drain({ deadlineSeconds: 0 })
    await node.waitForEvent(({ event }) => event === 'node:drained')
    expect((await node.api.drainView()).drain).toMatchObject({ done: true, cut: [{ id, name: 'drained' }] })
    await node.quit()
  })
})
