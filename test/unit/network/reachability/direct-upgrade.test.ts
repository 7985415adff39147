import type { DCUtRServiceComponents } from '@libp2p/dcutr'
import type { Connection, Stream, StreamHandler } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { expect, test } from 'vitest'
import { MAX_UPGRADE_ADDRESSES, UPGRADES } from '../../../../src/network/reachability/constants.ts'
import { directUpgrade } from '../../../../src/network/reachability/direct-upgrade.ts'

const PEER = '12D3KooWKdFbtARowGh3BbQQqrkEAqsk6NgaYJEW1Xm1mKvH6niH'
const DIRECT = multiaddr('/ip4/9.9.9.9/tcp/4980')
const CIRCUIT = multiaddr(`/ip4/9.9.9.9/tcp/4980/p2p/${PEER}/p2p-circuit`)

type Service = {
  start(): Promise<void>
  readonly connectionManager: DCUtRServiceComponents['connectionManager']
}

/** The library's service, with what it would dial and the streams that it was handed. */
async function upgrades() {
  const dialled: number[] = []
  let now = 0
  let handler: StreamHandler | undefined
  const log = Object.assign(() => {}, { error() {}, trace() {} })
  const service = directUpgrade({ monotonic: () => now })({
    logger: { forComponent: () => log },
    registrar: {
      register: async () => 'id',
      handle: async (_: string, given: StreamHandler) => {
        handler = given
      },
    },
    connectionManager: { openConnection: async (addresses: unknown[]) => void dialled.push(addresses.length) },
  } as unknown as DCUtRServiceComponents) as unknown as Service
  await service.start()
  return {
    dialled,
    dial: (addresses: number) => service.connectionManager.openConnection(new Array(addresses).fill(DIRECT)),
    pass: (ms: number) => (now += ms),
    /** Was the stream refused at once? */
    isRefused(connection: Partial<Connection>): boolean {
      let refused = false
      const abort = () => {
        refused = true
      }
      const stream = { abort, addEventListener() {}, removeEventListener() {} } as unknown as Stream
      const handled = new Promise((resolve) => resolve(handler?.(stream, connection as Connection)))
      handled.catch(() => {})
      return refused
    },
  }
}

test('only a peer that this node dialled through a relay may have it dial', async () => {
  const { isRefused } = await upgrades()
  for (const direction of ['inbound', 'outbound'] as const) {
    expect(isRefused({ remoteAddr: DIRECT, direction })).toBe(true)
  }
  expect(isRefused({ remoteAddr: CIRCUIT, direction: 'inbound' })).toBe(true)
  expect(isRefused({ remoteAddr: CIRCUIT, direction: 'outbound' })).toBe(false)
})

test('few addresses are dialled, and seldom', async () => {
  const { dialled, dial, pass } = await upgrades()
  for (let count = 0; count < UPGRADES.burst; count++) await dial(100)
  expect(new Set(dialled)).toEqual(new Set([MAX_UPGRADE_ADDRESSES]))
  await expect(dial(1)).rejects.toThrow('no more direct connections now')
  pass(1000 / UPGRADES.perSecond)
  await dial(1)
  await expect(dial(1)).rejects.toThrow('no more direct connections now')
})
