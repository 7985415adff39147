import { expect, test } from 'vitest'
import { openPlace } from '../../fixtures/program/program.ts'

const ID = 'bafyreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy'

test.each([
  ['/dns4/node.example.org/tcp/443/wss/p2p/12D3KooWKdFbtARowGh3BbQQqrkEAqsk6NgaYJEW1Xm1mKvH6niH', '/wss'],
  ['/dns4/node.example.org/tcp/443/tls/ws', '/tls and /ws'],
  ['/ip4/192.0.2.7/udp/4980/quic-v1', '/udp and /quic-v1'],
  ['/dnsaddr/bootstrap.example.org', '/dnsaddr'],
])('a static node %s: the refusal names the entry and the transports that there are', async (address, which) => {
  await using place = await openPlace()
  const { code, err } = await place.ran(['init', 'other', '--static', 'https://node.example.org', '--static', address])
  expect(code).toBe(2)
  expect(err).toContain('STATIC_NODES[1] is "/')
  expect(err).toContain(`with ${which}; the transport that there is is plain TCP over ip4, ip6 or dns`)
  expect(err.trim().split('\n')).toHaveLength(1)
})

test('a light peer is told the same of its --join', async () => {
  await using place = await openPlace()
  const { code, err } = await place.ran(['connect', ID, '--join', '/dns4/node.example.org/tcp/443/wss'])
  expect(code).toBe(2)
  expect(err).toContain('--join is "/dns4/node.example.org/tcp/443/wss", with /wss; the transport')
})
