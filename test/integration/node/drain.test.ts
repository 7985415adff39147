import { describe, expect } from 'vitest'
import type { ReceiptState } from '../../../protocols/receipt.ts'
import type { Signer } from '../../../protocols/signature.ts'
import type { ThundercloudNode } from '../../../src/node/index.ts'
import { createClaimant } from '../../fixtures/mesh/claimant.ts'
import { eventually, ON_HOST, test, trustPolicyFor } from '../../fixtures/node/mesh.ts'
import { HELLO_WEB, newSigner } from '../../fixtures/node/nodes.ts'
import { needs } from '../../require.ts'

const author = newSigner()
const runner = { ...ON_HOST, ...trustPolicyFor(author) }

const stateOf = (node: ThundercloudNode, id: string) => node.services().find((service) => service.id === id)?.state

describe.skipIf(!needs('bubblewrap'))('a node that is drained', () => {
  test('ends its run once another runs it: at no moment does none', async ({ mesh }) => {
    const first = await mesh.start('first', { runner })
    const second = await mesh.join('second', first, { runner })
    const publisher = await mesh.join('publisher', [first, second])
    const reported: [string, string, boolean][] = []
    publisher.events.on('node:receipt', ({ node, state, reasons }) => {
      reported.push([node, state, reasons.some((reason) => reason.startsWith('leaving: '))])
    })
    const id = await mesh.publish(publisher, { author })
    await eventually(() =>
      expect([first, second].map((node) => stateOf(node, id)).toSorted()).toEqual(['parked', 'running']),
    )
    const [drained, standBy] = stateOf(first, id) === 'running' ? [first, second] : [second, first]
    let atItsEnd: string | undefined
    drained.events.on('node:state', ({ state }) => {
      if (state !== 'running') atItsEnd ??= stateOf(standBy, id)
    })
    const ended = Promise.withResolvers<object>()
    drained.events.on('node:drained', ended.resolve)
    drained.drain()
    expect(await ended.promise).toEqual({ cut: [] })
    expect([stateOf(drained, id), atItsEnd]).toEqual(['parked', 'running'])
    await eventually(() => {
      const own = reported.filter(([node]) => node === drained.address)
      expect(own).toContainEqual([drained.address, 'running', true])
      expect(own.at(-1)).toEqual([drained.address, 'parked', false])
    })

    // what comes meanwhile is another's, and stays there
    const late = await mesh.publish(publisher, { author, name: 'late' })
    await eventually(() => expect(stateOf(standBy, late)).toBe('running'))
    expect(drained.service(late)).toMatchObject({ state: 'parked', redirected: true })
    expect(drained.undrain()).toBe(true)
    await eventually(() => expect(drained.service(late).parked?.on).toEqual([{ on: 'replica' }]))
    expect(stateOf(standBy, id)).toBe('running')
  })

  test('hands over what no other node knew: one replica is not redirected by the node that runs it', async ({
    mesh,
  }) => {
    const first = await mesh.start('first', { runner })
    const publisher = await mesh.join('publisher', first)
    const id = await mesh.publish(publisher, { author })
    await eventually(() => expect(stateOf(first, id)).toBe('running'))
    const second = await mesh.join('second', first, { runner })
    await eventually(() => expect(first.peers().length).toBe(2))
    expect(stateOf(second, id)).toBeUndefined()
    const ended = Promise.withResolvers<object>()
    first.events.on('node:drained', ended.resolve)
    first.drain()
    expect(await ended.promise).toEqual({ cut: [] })
    expect([first, second].map((node) => stateOf(node, id))).toEqual(['parked', 'running'])
  })

  test.for<[string, ReceiptState, Signer | undefined]>([
    ['that begins a run and never has one', 'accepted', undefined],
    ['that shows the answer of another', 'running', newSigner()],
  ])('makes way for no stranger %s: the deadline ends its run', async ([, says, signer], { mesh }) => {
    const node = await mesh.start('node', { runner })
    const id = await mesh.publish(node, { author, asPublisher: false })
    await eventually(() => expect(stateOf(node, id)).toBe('running'))
    await using stranger = await createClaimant(mesh.network, node.multiaddrs())
    Object.assign(stranger, { says, ...(signer && { signer }) })
    await eventually(() => expect(stranger.asked).toBeGreaterThan(0))
    const { asked } = stranger
    node.drain({ deadlineMs: 10_000 })
    await eventually(() => expect(node.drainView()?.done).toBe(true))
    expect(stranger.asked).toBeGreaterThan(asked + 1)
    expect(node.drainView()?.cut).toEqual([{ id, name: 'hello-web' }])
  })

  test('begins SERVICES again when the drain is over, and not with a restart before', async ({ mesh }) => {
    const options = { runner: ON_HOST, services: { SERVICES: { 'hello-web': { DIR: HELLO_WEB } } } }
    const runIn = (node: ThundercloudNode) => node.services()[0]?.run
    let node = await mesh.start('owner', options)
    await eventually(() => expect(runIn(node)?.healthy).toBe(true))
    node.drain({ deadlineMs: null })
    await eventually(() => expect(node.drainView()).toMatchObject({ done: true, cut: [] }))
    expect(runIn(node)).toMatchObject({ state: 'stopped' })
    await mesh.stop('owner')
    node = await mesh.start('owner', options)
    await node.reload()
    expect([node.drainView()?.done, runIn(node)?.state]).toEqual([true, 'stopped'])
    node.undrain()
    await eventually(() => expect(runIn(node)?.healthy).toBe(true))
  })
})
