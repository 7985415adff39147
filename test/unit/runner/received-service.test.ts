import { expect, it } from 'vitest'
import { addressBytes, parseAddress } from '../../../protocols/address.ts'
import { cidOfStructure, encodeCanonical, sha256 } from '../../../protocols/encoding.ts'
import { decodeService, encodeService, serviceId } from '../../../protocols/service.ts'
import { toReceivedService } from '../../../src/runner/index.ts'
import { OWN, STRANGER } from '../../fixtures/runner/runners.ts'

it('a decoded body becomes plain JSON: texts for addresses and ids, sizes for bytes', () => {
  const body = encodeService({
    v: 1,
    author: addressBytes(parseAddress(OWN)),
    name: 'hello',
    seq: 7,
    title: 'Hello',
    desc: 'says hello',
    keywords: ['api'],
    toolchain: ['node.js'],
    symbiotes: [addressBytes(parseAddress(STRANGER))],
    hostchains: ['btc'],
    issued: 1000,
    expires: 2000,
    code: cidOfStructure(encodeCanonical({ a: 1 })),
    sources: [{ type: 'mesh' }, { type: 'inline', bytes: Uint8Array.of(1, 2, 3) }],
    run: { command: ['node', 'server.js'], kind: 'task', timeout: 60 },
    resources: { memory: 1, disk: 0, cpu: 1, pids: 1 },
    network: [],
    replicas: 1,
    statements: [],
    credentials: [],
    replyTo: [],
    reach: { depth: 0, anchor: sha256(new Uint8Array(32)) },
  })
  const received = toReceivedService(serviceId(body), decodeService(body), body.byteLength)
  expect(JSON.parse(JSON.stringify(received))).toEqual(received)
  expect(received).toMatchObject({
    id: serviceId(body).toString(),
    author: OWN,
    symbiotes: [STRANGER],
    sources: [{ type: 'mesh' }, { type: 'inline', sizeBytes: 3 }],
    run: { kind: 'task', timeout: 60 },
    sizeBytes: body.byteLength,
  })
  expect('reward' in received).toBe(false)
})
