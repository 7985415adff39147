import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { formatAddress } from '../../../protocols/address.ts'
import { addFolder, announce, bytesOf, createWorld, HELLO_WEB, newSigner, stateOf } from '../../fixtures/node/nodes.ts'
import { needs } from '../../require.ts'

describe.skipIf(!needs('engine') || !needs('bubblewrap'))('a toolchain that is no longer granted', () => {
  it('ends what runs by it, SERVICES too; where another executor is granted, it begins again there', async () => {
    await using nodes = await createWorld()
    const author = newSigner()
    const trusting = { TRUST_TREE: { ROOTS: { [formatAddress(author.address)]: { DEPTH: 0 } } } }
    const node = await nodes.start('node', {
      runner: trusting,
      services: { SERVICES: { 'hello-web': { DIR: HELLO_WEB } } },
    })
    const own = () => node.services().find((service) => service.author === node.address)
    const code = await addFolder(node, HELLO_WEB)
    const announcement = announce(author, { code })
    const id = announcement.signed.id.toString()
    await node.receive(bytesOf(announcement))
    await stateOf(node, id, 'running', 60_000)
    expect(node.service(id).run?.executor).toBe('docker')
    await vi.waitFor(() => expect(own()).toMatchObject({ state: 'running', run: { executor: 'docker' } }), {
      timeout: 60_000,
      interval: 200,
    })

    const file = join(nodes.dir('node'), 'runners/andromeda/config.json')
    const config = JSON.parse(await readFile(file, 'utf8')) as object
    const text = JSON.stringify({ ...config, PREFER_TOOLCHAIN: { docker: [], host: ['node.js'] } })
    expect(await node.previewPolicy(text)).toMatchObject({
      changes: [{ id, from: 'run', to: 'parked', moves: 'host' }],
    })
    await node.applyPolicy(text)
    await vi.waitFor(
      () => {
        expect(node.service(id)).toMatchObject({ state: 'running', run: { executor: 'host' } })
        expect(own()).toMatchObject({ state: 'running', run: { executor: 'host' } })
      },
      { timeout: 60_000, interval: 200 },
    )
    // a run on the host stays there when Docker is granted again: nothing takes its place away
    await node.applyPolicy(JSON.stringify(config))
    expect(node.service(id)).toMatchObject({ state: 'running', run: { executor: 'host' } })
    await node.applyPolicy(JSON.stringify({ ...config, PREFER_TOOLCHAIN: { docker: [], host: [] } }))
    await stateOf(node, id, 'stopped', 45_000)
    expect((await node.explain(id)).verdict.reasons.find(({ rule }) => rule === 'toolchain')).toMatchObject({
      outcome: 'fail',
    })
  }, 180_000)
})
