import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { eventually, test, trusting } from '../../fixtures/node/mesh.ts'
import { HELLO_WEB, newSigner, stateOf } from '../../fixtures/node/nodes.ts'
import { needs } from '../../require.ts'

describe.skipIf(!needs('engine') || !needs('bubblewrap'))('a toolchain that is no longer granted', () => {
  test('ends what runs by it, SERVICES too; where another executor is granted, it begins again there', async ({
    mesh,
  }) => {
    const author = newSigner()
    const node = await mesh.start('node', {
      runner: trusting(author),
      services: { SERVICES: { 'hello-web': { DIR: HELLO_WEB } } },
    })
    const own = () => node.services().find((service) => service.author === node.address)
    const id = await mesh.publish(node, { author, asPublisher: false })
    await stateOf(node, id, 'running')
    expect(node.service(id).run?.executor).toBe('docker')
    await eventually(() => expect(own()).toMatchObject({ state: 'running', run: { executor: 'docker' } }))

    const file = join(mesh.dir('node'), 'runners/andromeda/config.json')
    const config = JSON.parse(await readFile(file, 'utf8')) as object
    const text = JSON.stringify({ ...config, PREFER_TOOLCHAIN: { docker: [], host: ['node.js'] } })
    expect(await node.previewPolicy(text)).toMatchObject({
      changes: [{ id, from: 'run', to: 'parked', moves: 'host' }],
    })
    await node.applyPolicy(text)
    await eventually(() => {
      expect(node.service(id)).toMatchObject({ state: 'running', run: { executor: 'host' } })
      expect(own()).toMatchObject({ state: 'running', run: { executor: 'host' } })
    })
    // a run on the host stays there when Docker is granted again: nothing takes its place away
    await node.applyPolicy(JSON.stringify(config))
    expect(node.service(id)).toMatchObject({ state: 'running', run: { executor: 'host' } })
    await node.applyPolicy(JSON.stringify({ ...config, PREFER_TOOLCHAIN: { docker: [], host: [] } }))
    await stateOf(node, id, 'stopped')
    expect((await node.explain(id)).verdict.reasons.find(({ rule }) => rule === 'toolchain')).toMatchObject({
      outcome: 'fail',
    })
  })
})
