import { describe, expect, it } from 'vitest'
import { formatAddress } from '../../../protocols/address.ts'
import { addFolder, announce, bytesOf, createWorld, HELLO_WEB, newSigner, stateOf } from '../../fixtures/node/nodes.ts'
import { needs } from '../../require.ts'

describe.skipIf(!needs('engine'))('R11: a folder of code whose toolchain names docker too', () => {
  it('runs in Docker, with the image of the other word', async () => {
    const author = newSigner()
    await using world = await createWorld()
    const node = await world.start('only', {
      runner: {
        PREFER_TOOLCHAIN: { docker: ['node.js'] },
        TRUST_TREE: { ROOTS: { [formatAddress(author.address)]: {} } },
      },
      stopRunsOnClose: true,
    })
    const code = await addFolder(node, HELLO_WEB)
    const announcement = announce(author, { code, toolchain: ['docker', 'node.js'] })
    const id = announcement.signed.id.toString()
    await node.receive(bytesOf(announcement), {})
    await stateOf(node, id, 'running')
    expect((await node.explain(id)).verdict.run).toMatchObject({ executor: 'docker' })
  })
})
