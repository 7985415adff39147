import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { addressBytes, formatAddress } from '../../../protocols/address.ts'
import { encodeFreeze } from '../../../protocols/freeze.ts'
import { encodeStatement, signStatement } from '../../../protocols/statement.ts'
import { nowSeconds, systemClock } from '../../../src/base/clock.ts'
import { silentLog } from '../../../src/base/log.ts'
import { systemRng } from '../../../src/base/rng.ts'
import { createLightPeer, type ThundercloudNode } from '../../../src/node/index.ts'
import { createWorld, type NodeWorld, newSigner } from '../../fixtures/node/nodes.ts'
import { attestationBy, delegationBy, SOME_CODE } from '../../fixtures/trust/statements.ts'

const clock = systemClock()
const hub = newSigner()
const address = formatAddress(hub.address)
const trusting = { TRUSTED_HUBS: { [address]: {} } }

/** The light peer joins through a node that trusts nobody; the other one trusts the hub. */
describe('a light peer that tells statements', () => {
  let world: NodeWorld
  let stranger: ThundercloudNode
  let believer: ThundercloudNode

  beforeAll(async () => {
    world = await createWorld()
    stranger = await world.start('stranger')
    believer = await world.start('believer', { runner: { ...trusting, STATIC_NODES: stranger.multiaddrs() } })
    await vi.waitFor(() => expect(stranger.peers()).toHaveLength(1), { timeout: 45_000 })
  })
  afterAll(() => world[Symbol.asyncDispose]())

  const visitor = (through: ThundercloudNode) =>
    createLightPeer({ clock, rng: systemRng(), log: silentLog() }, { network: 'test', join: through.multiaddrs() })

  it('reaches a neighbour that trusts the signer by gossip', async () => {
    const freeze = encodeFreeze({
      v: 1,
      hub: addressBytes(hub.address),
      address: addressBytes(newSigner().address),
      chain: 'btc',
      amount: '10',
      issued: nowSeconds(clock),
      expires: nowSeconds(clock) + 3600,
      seq: 1,
    })
    await using peer = await visitor(believer)
    // freeze statements have no record
    expect(await peer.submitStatement(encodeStatement(signStatement(freeze, 'test', hub)))).toEqual({ records: 0 })
    await expect.poll(() => believer.statements({ signer: address })).toMatchObject([{ via: 'gossip' }])
  })

  it("leaves a record with those who trust nobody, for a believer's lookup after it has gone", async () => {
    {
      await using peer = await visitor(stranger)
      const { records } = await peer.submitStatement(attestationBy(hub, { clock }, { verdict: 'unsafe' }))
      expect(records).toBeGreaterThan(0)
    }
    expect(stranger.statements()).toEqual([])
    const found = await believer.lookUpStatements({ code: SOME_CODE.toString() })
    expect(found).toMatchObject([{ signer: address, verdict: 'unsafe', trusted: true }])
  })

  it('tells nobody what would be refused, and says why in one sentence', async () => {
    await using peer = await visitor(believer)
    const foreign = delegationBy(hub, newSigner(), { clock, network: 'other' })
    await expect(peer.submitStatement(foreign)).rejects.toMatchObject({
      name: 'InputError',
      message: expect.stringMatching(/^the statement: sig: is not the delegation signature/),
    })
    const expired = attestationBy(hub, { clock }, { issued: 1, expires: 2 })
    await expect(peer.submitStatement(expired)).rejects.toThrow(/^the statement: body\.expires: has passed/)
    await expect(peer.submitStatement(Uint8Array.of(1, 2))).rejects.toMatchObject({ name: 'InputError' })
  })
})
