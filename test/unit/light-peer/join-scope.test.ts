import { expect, test } from 'vitest'
import { joinScope } from '../../../src/light-peer/join-scope.ts'

const LOOPBACK = '/ip4/127.0.0.1/tcp/0'
const ALL = '/ip4/0.0.0.0/tcp/0'

test.each([
  [['/ip4/127.0.0.1/tcp/1'], LOOPBACK, 'private'],
  [['/ip6/::1/tcp/1', '/dns4/localhost/tcp/1'], LOOPBACK, 'private'],
  [['/ip4/127.0.0.1/tcp/1', '/ip4/192.168.1.2/tcp/1'], ALL, 'private'],
  [['/ip4/8.8.8.8/tcp/1', '/ip4/10.0.0.1/tcp/1'], ALL, 'private'],
  [['/ip4/8.8.8.8/tcp/1'], ALL, 'public'],
  [['/ip6/2606:4700::1111/tcp/1'], ALL, 'public'],
  // the edges at which @libp2p/utils differs from a check by the first characters
  [['/ip4/198.18.0.1/tcp/1'], ALL, 'private'],
  [['/ip6/::ffff:10.0.0.1/tcp/1'], ALL, 'private'],
  [['/ip6zone/eth0/ip6/fe80::1/tcp/1'], ALL, 'private'],
  [['/dns4/fdic.example/tcp/1'], ALL, 'public'],
  [['/dns4/127.example.org/tcp/1'], ALL, 'public'],
  [['no multiaddr'], ALL, 'public'],
] as const)('%j', (join, listen, visibility) => {
  expect(joinScope(join)).toEqual({ listen, visibility })
})
