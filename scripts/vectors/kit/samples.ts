import { type Address, addressBytes } from '../../../protocols/address.ts'
import { cidOfStructure } from '../../../protocols/encoding.ts'
import { issueTicket, type Reach } from '../../../protocols/redirection.ts'
import type { ServiceBody } from '../../../protocols/service.ts'
import type { StopBody } from '../../../protocols/stop.ts'
import { EXPIRES, ISSUED, secretOf, signerOf } from './kit.ts'

export const author = signerOf('author')
export const peer = signerOf('peer')
export const CODE = cidOfStructure(new TextEncoder().encode('code'))
export const PEER_MULTIADDR = '/ip4/203.0.113.7/tcp/4001/p2p/12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA'

export const { reach: REACH, ticket: TICKET } = issueTicket(3, secretOf('ticket'))

/** The least that a service can say. */
export function smallService(by: Address = author.address, reach: Reach = REACH): ServiceBody {
  return {
    v: 1,
    author: addressBytes(by),
    name: 'hello',
    seq: 0,
    title: 'Hello',
    desc: '',
    keywords: [],
    toolchain: [],
    symbiotes: [],
    hostchains: [],
    issued: ISSUED,
    expires: EXPIRES,
    code: CODE,
    sources: [],
    run: { command: ['node', 'server.js'], kind: 'service' },
    resources: { memory: 64 * 1024 * 1024, disk: 0, cpu: 100, pids: 16 },
    network: [],
    replicas: 1,
    statements: [],
    credentials: [],
    replyTo: [],
    reach,
  }
}

/** Every field, every kind of source. */
export function fullService(): ServiceBody {
  return {
    ...smallService(),
    name: 'price-feed.v2_eu-1',
    seq: 41,
    title: 'Prices \u2014 \u4ef7\u683c',
    desc: 'Asks three exchanges for prices and answers with their median.',
    keywords: ['defi', 'api', '\u00e9change'],
    toolchain: ['docker', 'node.js'],
    symbiotes: [addressBytes(peer.address)],
    hostchains: ['btc', 'sol'],
    sources: [
      { type: 'mesh' },
      {
        type: 'git',
        url: 'https://github.com/example/prices',
        commit: '0123456789abcdef0123456789abcdef01234567',
        path: 'service',
      },
      { type: 'registry', kind: 'npm', name: '@example/prices', version: '2.0.1' },
      { type: 'https', url: 'http://[2001:db8::1]:8080/prices.tar?x=1' },
      { type: 'oci', ref: `registry.example/prices@sha256:${'ab'.repeat(32)}` },
      { type: 'inline', bytes: Uint8Array.of(1, 2, 3) },
    ],
    run: {
      command: ['node', 'server.js', ''],
      build: ['npm', 'ci'],
      env: { PORT: '8080', _A: '', lower_case: 'x=y' },
      workdir: 'service',
      ports: [
        { name: 'http', port: 8080, access: 'any' },
        { name: 'admin', port: 65535 },
      ],
      kind: 'service',
      timeout: 3600,
      restart: 'on-failure',
    },
    resources: { memory: 256 * 1024 * 1024, disk: 1024 * 1024 * 1024, cpu: 1500, pids: 64 },
    network: ['api.github.com:443', '*.example.org:8443'],
    replicas: 3,
    reward: { asset: 'kly', perHour: '0.25' },
    statements: [Uint8Array.of(0xa0)],
    credentials: [Uint8Array.of(0x80)],
    replyTo: [PEER_MULTIADDR],
  }
}

export function smallStop(reach: Reach = REACH): StopBody {
  return {
    v: 1,
    author: addressBytes(author.address),
    name: 'hello',
    seq: 1,
    stop: true,
    issued: ISSUED,
    expires: EXPIRES,
    reach,
  }
}
