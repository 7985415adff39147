import { describe, expect } from 'vitest'
import { addressBytes, formatAddress } from '../../../protocols/address.ts'
import { encodeFreeze } from '../../../protocols/freeze.ts'
import { encodeStatement, signStatement } from '../../../protocols/statement.ts'
import { nowSeconds, systemClock } from '../../../src/base/clock.ts'
import type { ThundercloudNode } from '../../../src/node/index.ts'
import { test } from '../../fixtures/node/mesh.ts'
import { newSigner } from '../../fixtures/node/nodes.ts'
import { attestationBy, delegationBy, SOME_CODE } from '../../fixtures/trust/statements.ts'

const clock = systemClock()
const hub = newSigner()
const address = formatAddress(hub.address)
const trusting = { TRUSTED_HUBS: { [address]: {} } }

/** The light peer joins through a node that trusts nobody; the other one trusts the hub. */
describe('a light peer that tells statements', () => {
  let stranger: ThundercloudNode
  let believer: ThundercloudNode

  test.beforeAll(async ({ fileMesh: mesh }) => {
    stranger = await mesh.start('stranger')
    believer = await mesh.join('believer', stranger, { runner: trusting })
  })

  test('reaches a neighbour that trusts the signer by gossip', async ({ fileMesh: mesh }) => {
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
    await using peer = await mesh.visitor(believer)
    // freeze statements have no record
    expect(await peer.submitStatement(encodeStatement(signStatement(freeze, 'test', hub)))).toEqual({ records: 0 })
    await expect.poll(() => believer.statements({ signer: address })).toMatchObject([{ via: 'gossip' }])
  })

  test("leaves a record with those who trust nobody, for a believer's lookup after it has gone", async ({
    fileMesh: mesh,
  }) => {
    {
      await using peer = await mesh.visitor(stranger)
      const { records } = await peer.submitStatement(attestationBy(hub, { clock }, { verdict: 'unsafe' }))
      expect(records).toBeGreaterThan(0)
    }
    expect(stranger.statements()).toEqual([])
    const found = await believer.lookUpStatements({ code: SOME_CODE.toString() })
    expect(found).toMatchObject([{ signer: address, verdict: 'unsafe', trusted: true }])
  })

  test('tells nobody what would be refused, and says why in one sentence', async ({ fileMesh: mesh }) => {
    await using peer = await mesh.visitor(believer)
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
