import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { formatAddress } from '../../../protocols/address.ts'
import { parseCid } from '../../../protocols/encoding.ts'
import { systemClock } from '../../../src/base/clock.ts'
import { silentLog } from '../../../src/base/log.ts'
import { systemRng } from '../../../src/base/rng.ts'
import { createLightPeer } from '../../../src/node/index.ts'
import {
  addFolder,
  announce,
  bytesOf,
  createWorld,
  HELLO_WEB,
  type NodeWorld,
  newSigner,
  stateOf,
} from '../../fixtures/node/nodes.ts'
import { needs } from '../../require.ts'

const EXECUTORS = [
  { name: 'host', need: 'bubblewrap', prefer: { host: ['node.js'] } },
  { name: 'docker', need: 'engine', prefer: { docker: ['node.js'] } },
] as const

describe.each(EXECUTORS)('N6: the folder of sockets is removed while a service runs ($name)', ({ need, prefer }) => {
  const author = newSigner()
  let world: NodeWorld
  let runtime: string
  beforeEach(async () => {
    world = await createWorld()
    runtime = await mkdtemp(join(tmpdir(), 'tc-n6-'))
  })
  afterEach(async () => {
    await world[Symbol.asyncDispose]()
    await rm(runtime, { recursive: true, force: true })
  })

  it.skipIf(!needs(need))('it is reached again', async () => {
    const node = await world.start('only', {
      runner: { PREFER_TOOLCHAIN: prefer, TRUST_TREE: { ROOTS: { [formatAddress(author.address)]: {} } } },
      node: { RUNTIME: join(runtime, 'r') },
      stopRunsOnClose: true,
    })
    const code = await addFolder(node, HELLO_WEB)
    const announcement = announce(author, { code })
    const id = announcement.signed.id.toString()
    await node.receive(bytesOf(announcement), {})
    await stateOf(node, id, 'running')
    await using peer = await createLightPeer(
      { clock: systemClock(), rng: systemRng(), log: silentLog() },
      { network: 'test', join: node.multiaddrs(), author },
    )
    const answer = async () => {
      const pipe = await peer.connect(parseCid(id), 'http', { signal: AbortSignal.timeout(5000) })
      pipe.write('GET / HTTP/1.0\r\n\r\n')
      let text = ''
      for await (const chunk of pipe) text += chunk
      return text
    }
    expect(await answer()).toContain('hello-web')
    await rm(join(runtime, 'r'), { recursive: true })
    await expect
      .poll(() => answer().catch((error: Error) => error.message), { timeout: 40_000, interval: 500 })
      .toContain('hello-web')
  })
})
