import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { addressBytes, formatAddress } from '../../../protocols/address.ts'
import { signStop } from '../../../protocols/announcement.ts'
import { parseCid } from '../../../protocols/encoding.ts'
import { issueTicket } from '../../../protocols/redirection.ts'
import { encodeStop } from '../../../protocols/stop.ts'
import { systemClock } from '../../../src/base/clock.ts'
import { once } from '../../../src/base/events.ts'
import { silentLog } from '../../../src/base/log.ts'
import { systemRng } from '../../../src/base/rng.ts'
import type { BytePipe } from '../../../src/base/stream.ts'
import { createLightPeer, type LightPeer, type NodeEvents, type ThundercloudNode } from '../../../src/node/index.ts'
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

const author = newSigner()
const trusting = { TRUST_TREE: { ROOTS: { [formatAddress(author.address)]: { DEPTH: 0 } } } }
const onHost = { PREFER_TOOLCHAIN: { host: ['node.js'] } }

describe.skipIf(!needs('bubblewrap'))('a service in a row of three nodes', () => {
  let world: NodeWorld
  let first: ThundercloudNode
  let second: ThundercloudNode
  let third: ThundercloudNode
  let id: string

  beforeAll(async () => {
    world = await createWorld()
    first = await world.start('first')
    second = await world.start('second', { runner: { KEYWORDS: ['defi'], STATIC_NODES: first.multiaddrs() } })
    third = await world.start('third', { runner: { ...onHost, ...trusting, STATIC_NODES: second.multiaddrs() } })
    await vi.waitFor(() => expect(second.peers()).toHaveLength(2), { timeout: 45_000 })
    const code = await addFolder(first, HELLO_WEB)
    const announcement = announce(author, { code, replyTo: first.multiaddrs() })
    id = announcement.signed.id.toString()
    await first.receive(bytesOf(announcement), { asPublisher: true })
    await stateOf(third, id, 'running')
  })
  afterAll(() => world[Symbol.asyncDispose]())

  const visitor = (signer = author): Promise<LightPeer> =>
    createLightPeer(
      { clock: systemClock(), rng: systemRng(), log: silentLog() },
      { network: 'test', join: first.multiaddrs(), author: signer },
    )

  it('is refused and passed on by the second node, which says why', async () => {
    expect(second.service(id).state).toBe('redirected')
    const { verdict } = await second.explain(id)
    expect(verdict).toMatchObject({ run: false, redirect: true })
    expect(verdict.reasons).toContainEqual(expect.objectContaining({ rule: 'keywords', outcome: 'fail' }))
  })

  it('tells the publisher who runs it and who does not', async () => {
    await expect
      .poll(() =>
        first
          .service(id)
          .receipts.map(({ state }) => state)
          .sort(),
      )
      .toEqual(['redirected', 'running'])
    const answers = await first.ask(id, { signal: AbortSignal.timeout(45_000) })
    expect(answers.find(({ peerId }) => peerId === third.peerId)?.state).toBe('running')
  })

  it('answers its author through a tunnel, and nobody else', async () => {
    await using friend = await visitor()
    expect(await get(await friend.connect(parseCid(id), 'http', { signal: AbortSignal.timeout(45_000) }))).toContain(
      'hello-web',
    )
    await using stranger = await visitor(newSigner())
    await expect(stranger.connect(parseCid(id), 'http', { signal: AbortSignal.timeout(45_000) })).rejects.toThrow(
      /access signature/,
    )
    await expect(friend.connect(parseCid(id), 'ssh', { signal: AbortSignal.timeout(45_000) })).rejects.toThrow(
      /no port "ssh"; it has http/,
    )
  })

  it('shows its logs to its author, and to nobody else', async () => {
    const read = async (peer: LightPeer) => {
      const lines: string[] = []
      for await (const { line } of peer.logs(parseCid(id), {
        tail: 50,
        follow: false,
        signal: AbortSignal.timeout(45_000),
      }))
        lines.push(line)
      return lines.join('\n')
    }
    await using friend = await visitor()
    expect(await read(friend)).toContain('hello-web listens')
    await using stranger = await visitor(newSigner())
    await expect(read(stranger)).rejects.toThrow(/access signature/)
  })

  it('is stopped by its author on every node, and does not come back', async () => {
    const { reach, ticket } = issueTicket(3, systemRng().bytes(32))
    const issued = Math.floor(Date.now() / 1000)
    const body = encodeStop({
      v: 1,
      author: addressBytes(author.address),
      name: 'hello-web',
      seq: 1,
      stop: true,
      issued,
      expires: issued + 3600,
      reach,
    })
    const heard = once<NodeEvents, 'intake:stopped'>(second.events, 'intake:stopped', {
      signal: AbortSignal.timeout(45_000),
    })
    const stop = { signed: signStop(body, 'test', author), ticket }
    await first.receive(bytesOf(stop), { asPublisher: true })
    await stateOf(third, id, 'stopped')
    expect((await heard).ids).toEqual([id])
    await world.stop('third')
    third = await world.start('third')
    expect(third.service(id).state).toBe('stopped')
    expect((await third.health()).running).toBe(0)
  })
})

function get(pipe: BytePipe): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ path: '/', createConnection: () => pipe as never }, (response) => {
      let body = ''
      response.on('data', (chunk: Buffer) => {
        body += chunk.toString()
      })
      response.on('end', () => resolve(body))
    })
    asked.on('error', reject)
    asked.end()
  })
}
