import type { KeyObject } from 'node:crypto'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { expect, onTestFinished, test } from 'vitest'
import { libp2pKey } from '../../../src/network/host/identity.ts'
import { createNatLab, type Host, RELAY_ADDRESS } from '../../fixtures/nat/lab.ts'
import { tempDir } from '../../fixtures/temp-dir.ts'
import { needs } from '../../require.ts'
import { MIB } from './behind-relay.ts'
import { newKey, until } from './fixtures.ts'

const BOUNDS = { reservations: 4, bytes: 3 * MIB, seconds: 600, rate: 64 * MIB }
const PATIENCE_MS = 60_000

const pem = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' }) as string

test.skipIf(!needs('nat'))('two nodes behind NATs of their own use each other through a relay', async () => {
  const lab = await createNatLab()
  onTestFinished(() => lab[Symbol.asyncDispose]())
  const key = newKey()
  const relayId = peerIdFromPrivateKey(libp2pKey(key)).toString()
  const [at, elsewhere] = [4980, 4981].map((port) => `/ip4/${RELAY_ADDRESS}/tcp/${port}`) as [string, string]
  const behind = async () => ({ dir: await tempDir(), staticNodes: [`${at}/p2p/${relayId}`] })
  const [relay, outside, left, right] = await Promise.all([
    lab.start('public', { dir: await tempDir(), relay: BOUNDS, announce: [at], identity: pem(key) }),
    lab.start('public', { dir: await tempDir(), announce: [elsewhere], listen: [elsewhere] }),
    lab.start('left', await behind()),
    lab.start('right', await behind()),
  ])
  const holds = (what: string, check: () => Promise<boolean>) => until(check, what, PATIENCE_MS)
  const circuit = async (host: Host) => (await host.state()).multiaddrs.find((one) => one.includes('/p2p-circuit'))
  for (const host of [left, right]) await holds('a reservation', async () => (await circuit(host)) !== undefined)
  expect((await left.state()).reachability).toMatchObject({ state: 'relayed', relays: [relayId] })
  // the relay was dialled, from a public address: that is what reachable means
  expect((await relay.state()).reachability.state).toBe('direct')

  // neither can be dialled where its router is
  const { peerId: rightId } = await right.state()
  await expect(left.dial(`/ip4/5.200.0.12/tcp/4980/p2p/${rightId}`)).rejects.toThrow('cannot be reached')
  await left.dial((await circuit(right)) as string)

  const seenAs = async (host: Host, peer: string) =>
    (await host.state()).peers.find(({ peerId }) => peerId === peer)?.relayed
  const { peerId: leftId } = await left.state()
  await holds('the connection', async () => (await seenAs(right, leftId)) === true)
  await left.publish('from the left')
  await right.publish('from the right')
  await holds('the left text', async () => (await right.state()).arrivals.includes('from the left'))
  await holds('the right text', async () => (await left.state()).arrivals.includes('from the right'))

  // there and back is two thirds of what one relayed connection carries; then it ends, and says so
  expect(await left.tunnel(rightId, MIB)).toBe(MIB)
  await expect(left.tunnel(rightId, 2 * MIB)).rejects.toThrow(/closed/)
  const code = await right.addArchive(6 * MIB)
  await left.fetch(code, rightId)

  // the side that was dialled tries to become direct, cannot, and nobody is alarmed
  await holds('an attempt', async () => (await right.state()).upgrades.length > 0)
  for (const [host, peer] of [
    [left, rightId],
    [right, leftId],
  ] as const) {
    expect(await seenAs(host, peer)).toBe(true)
    expect((await host.state()).warnings.filter((line) => !line.includes('a static node cannot be reached'))).toEqual(
      [],
    )
  }

  // a node that can be dialled is, and the relayed connection goes
  const { peerId: outsideId } = await outside.state()
  await outside.dial((await circuit(left)) as string)
  await holds('a direct connection', async () => (await seenAs(left, outsideId)) === false)
  await holds('the end of the circuit', async () => (await seenAs(outside, leftId)) === false)
  expect((await left.state()).reachability.state).toBe('relayed')

  await relay.kill()
  for (const [host, peer] of [
    [left, rightId],
    [right, leftId],
  ] as const) {
    await holds('the end of all', async () => {
      const { peers } = await host.state()
      return !peers.some(({ peerId }) => peerId === relayId || peerId === peer)
    })
    expect((await host.state()).reachability).toMatchObject({ state: 'none', relays: [] })
    expect(await circuit(host)).toBeUndefined()
  }
})
