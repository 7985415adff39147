import { expect, it } from 'vitest'
import { addressBytes, formatAddress } from '../../../protocols/address.ts'
import { decodeFreeze, encodeFreeze, type FreezeBody } from '../../../protocols/freeze.ts'
import { EXPIRES, hex, ISSUED } from '../../../scripts/vectors/kit/kit.ts'
import { blsHub, hub } from '../../../scripts/vectors/kit/statement-kit.ts'

const on = (chain: string): FreezeBody => ({
  v: 1,
  hub: addressBytes(hub.address),
  address: addressBytes(hub.address),
  chain,
  amount: '1',
  issued: ISSUED,
  expires: EXPIRES,
  seq: 0,
})

it.each(['sol', 'eip155:1', formatAddress(hub.address), formatAddress(blsHub.address)])('%s is a chain', (chain) => {
  expect(decodeFreeze(encodeFreeze(on(chain))).chain).toBe(chain)
})

it.each(['SOL', 'Sol', `ed25519:${formatAddress(hub.address)}`, `0x${hex(blsHub.address.key)}`])(
  '%s would be another spelling of one, and another subject',
  (chain) => {
    expect(() => encodeFreeze(on(chain))).toThrow(/^chain: must be a host chain's name in lower case/)
  },
)
