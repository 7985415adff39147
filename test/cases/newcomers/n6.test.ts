import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect } from 'vitest'
import { parseCid } from '../../../protocols/encoding.ts'
import { test, trusting } from '../../fixtures/node/mesh.ts'
import { newSigner, stateOf } from '../../fixtures/node/nodes.ts'
import { needs } from '../../require.ts'

const EXECUTORS = [
  { name: 'host', need: 'bubblewrap', prefer: { host: ['node.js'] } },
  { name: 'docker', need: 'engine', prefer: { docker: ['node.js'] } },
] as const

describe.each(EXECUTORS)('N6: the folder of sockets is removed while a service runs ($name)', ({ need, prefer }) => {
  const author = newSigner()
  let runtime: string
  beforeEach(async () => {
    runtime = await mkdtemp(join(tmpdir(), 'tc-n6-'))
  })
  afterEach(() => rm(runtime, { recursive: true, force: true }))

  test.skipIf(!needs(need))('it is reached again', async ({ mesh }) => {
    const runner = { PREFER_TOOLCHAIN: prefer, ...trusting(author) }
    const node = await mesh.start('only', { runner, node: { RUNTIME: join(runtime, 'r') }, stopRunsOnClose: true })
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
    await rm(join(runtime, 'r'), { recursive: true })
    await expect
      .poll(() => answer().catch((error: Error) => error.message), { timeout: 40_000, interval: 500 })
      .toContain('hello-web')
  })
})
