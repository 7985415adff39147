import Docker from 'dockerode'
import { describe, expect } from 'vitest'
import { startDockerRegistry } from '../../fixtures/code/docker-registry.ts'
import { digestOf, makeImage } from '../../fixtures/execution/images.ts'
import { eventually, test, trustPolicyFor } from '../../fixtures/node/mesh.ts'
import { newSigner, stateOf } from '../../fixtures/node/nodes.ts'
import { needs } from '../../require.ts'

const author = newSigner()
const RUN = { kind: 'service', command: ['/bin/sh', '-c', 'read a < /name; echo "$a"; sleep 1000'] }

describe.skipIf(!(needs('engine') && needs('docker-registry')))('an image', () => {
  test('is downloaded from its registry once; the next node has it from the first, when registry and publisher are gone', async ({
    mesh,
    onTestFinished,
  }) => {
    const registry = await startDockerRegistry()
    const image = await makeImage({ padding: 3_000_000 })
    await registry.push('team/app', image)
    const engine = new Docker()
    onTestFinished(() =>
      engine
        .getImage(digestOf(image.config))
        .remove({ force: true })
        .catch(() => {}),
    )
    const ref = `registry.example.org/team/app:latest@${digestOf(image.manifest)}`
    const sources = [{ type: 'mesh' }, { type: 'oci', ref }]
    const runner = { ...trustPolicyFor(author), REGISTRIES: { DOCKER: [registry.origin] } }
    const publisher = await mesh.start('publisher')
    const second = await mesh.join('second', publisher, { runner })
    const service = { author, code: image.code.toString(), sources, toolchain: ['docker'], run: RUN, replicas: 2 }
    const id = await mesh.publish(publisher, service)
    await stateOf(second, id, 'running')
    const once = [image.config, image.layer].map(digestOf).toSorted()
    await eventually(() => expect(registry.downloads().toSorted()).toEqual(once))
    expect(second.code.get(image.code.toString())).toMatchObject({
      state: 'complete',
      kept: true,
      provenance: { from: 'oci', source: `the image ${ref}` },
    })
    await registry.close()
    // it has to load the image itself: the engine is the same one
    await engine
      .getImage(digestOf(image.config))
      .remove({ force: true })
      .catch(() => {})
    const late = await mesh.join('late', second, { runner })
    await mesh.stop('publisher')
    await stateOf(late, id, 'running')
    expect(late.code.get(image.code.toString())).toMatchObject({ provenance: { from: 'mesh' } })
    const lines = await Array.fromAsync(late.logs(id, { tail: 10, follow: false }))
    expect(lines.map(({ line }) => line)).toContainEqual(expect.stringMatching(/^made by/))
  })
})
