import {
  type Address,
  addressBytes,
  addressOfPeerId,
  decodeAddress,
  formatAddress,
  formatLegacy,
  parseAddress,
  peerIdOf,
} from '../../../protocols/address.ts'
import {
  cidOfBytes,
  cidOfStructure,
  decodeCanonical,
  encodeCanonical,
  fromDagJson,
} from '../../../protocols/encoding.ts'
import { createKeyCache, signedBytes, verifySignature } from '../../../protocols/signature.ts'
import type { Op } from '../kit/kit.ts'
import { dagJson, fromVector, hex, unhex } from '../kit/kit.ts'

export const keyOps: Record<string, Op> = {
  'address.parse': ({ text }) => describe(parseAddress(String(text))),
  'address.decode': ({ bytes }) => {
    const { type, key } = decodeAddress(unhex(bytes))
    return { type, key: hex(key) }
  },
  'address.of-peer': ({ peerId }) => describe(addressOfPeerId(String(peerId))),
  'encoding.decode': ({ bytes }) => {
    const value = decodeCanonical(unhex(bytes))
    return {
      value: dagJson(value),
      cid: cidOfStructure(unhex(bytes)).toString(),
      rawCid: cidOfBytes(unhex(bytes)).toString(),
    }
  },
  'json.read': ({ text }) => ({ bytes: hex(encodeCanonical(fromDagJson(String(text)))) }),
  'encoding.encode': ({ value }) => ({ bytes: hex(encodeCanonical(fromVector(value))) }),
  'signature.verify': ({ type, key, network, kind, body, sig }) => {
    const address = { type, key: unhex(key) } as Address
    const signed = {
      network: String(network),
      kind: String(kind),
      who: 'key',
      address,
      bytes: unhex(body),
      signature: unhex(sig),
    }
    verifySignature(createKeyCache(), signed)
    return { signed: hex(signedBytes(signed.network, signed.kind, signed.bytes)) }
  },
}

function describe(address: Address): ReturnType<Op> {
  const common = {
    type: address.type,
    key: hex(address.key),
    bytes: hex(addressBytes(address)),
    text: formatAddress(address),
  }
  return address.type === 'ed25519' ? { ...common, legacy: formatLegacy(address), peerId: peerIdOf(address) } : common
}
