import { describe, expect } from 'vitest'
import { addressBytes } from '../../../protocols/address.ts'
import { signStop } from '../../../protocols/announcement.ts'
import { parseCid } from '../../../protocols/encoding.ts'
import { issueTicket } from '../../../protocols/redirection.ts'
import { encodeStop } from '../../../protocols/stop.ts'
import { once } from '../../../src/base/events.ts'
import { systemRng } from '../../../src/base/rng.ts'
import type { LightPeer, NodeEvents, ThundercloudNode } from '../../../src/node/index.ts'
import { httpGet, ON_HOST, test, trusting } from '../../fixtures/node/mesh.ts'
import { bytesOf, newSigner, PATIENCE, stateOf } from '../../fixtures/node/nodes.ts'
import { needs } from '../../require.ts'

const author = newSigner()
const inTime = () => ({ signal: AbortSignal.timeout(PATIENCE) })

describe.skipIf(!needs('bubblewrap'))('a service in a row of three nodes', () => {
  let first: ThundercloudNode
  let second: ThundercloudNode
  let third: ThundercloudNode
  let id: string

  test.beforeAll(async ({ fileMesh: mesh }) => {
    first = await mesh.start('first')
    second = await mesh.join('second', first, { runner: { KEYWORDS: ['defi'] } })
    third = await mesh.join('third', second, { runner: { ...ON_HOST, ...trusting(author) } })
    id = await mesh.publish(first, { author })
    await stateOf(third, id, 'running')
  })

  test('is refused and passed on by the second node, which says why', async () => {
    expect(second.service(id).state).toBe('redirected')
    const { verdict } = await second.explain(id)
    expect(verdict).toMatchObject({ run: false, redirect: true })
    expect(verdict.reasons).toContainEqual(expect.objectContaining({ rule: 'keywords', outcome: 'fail' }))
  })

  test('tells the publisher who runs it and who does not', async () => {
    const told = () => first.service(id).receipts.map(({ state }) => state)
    await expect.poll(() => told().sort()).toEqual(['redirected', 'running'])
    const answers = await first.ask(id, inTime())
    expect(answers.find(({ peerId }) => peerId === third.peerId)?.state).toBe('running')
  })

  test('answers its author through a tunnel, and nobody else', async ({ fileMesh: mesh }) => {
    await using friend = await mesh.visitor(first, author)
    const { body } = await httpGet(await friend.connect(parseCid(id), 'http', inTime()))
    expect(body).toContain('hello-web')
    await using stranger = await mesh.visitor(first, newSigner())
    await expect(stranger.connect(parseCid(id), 'http', inTime())).rejects.toThrow(/access signature/)
    await expect(friend.connect(parseCid(id), 'ssh', inTime())).rejects.toThrow(/no port "ssh"; it has http/)
  })

  test('shows its logs to its author, and to nobody else', async ({ fileMesh: mesh }) => {
    const read = async (peer: LightPeer) => {
      const logs = await Array.fromAsync(peer.logs(parseCid(id), { tail: 50, follow: false, ...inTime() }))
      return logs.map(({ line }) => line).join('\n')
    }
    await using friend = await mesh.visitor(first, author)
    expect(await read(friend)).toContain('hello-web listens')
    await using stranger = await mesh.visitor(first, newSigner())
    await expect(read(stranger)).rejects.toThrow(/access signature/)
  })

  test('is stopped by its author on every node, and does not come back', async ({ fileMesh: mesh }) => {
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
    const heard = once<NodeEvents, 'intake:stopped'>(second.events, 'intake:stopped', inTime())
    const stop = { signed: signStop(body, 'test', author), ticket }
    await first.receive(bytesOf(stop), { asPublisher: true })
    await stateOf(third, id, 'stopped')
    expect((await heard).ids).toEqual([id])
    await mesh.stop('third')
    third = await mesh.start('third')
    expect(third.service(id).state).toBe('stopped')
    expect((await third.health()).running).toBe(0)
  })
})
