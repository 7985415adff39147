import { once } from 'node:events'
import { connect } from 'node:http2'
import { type AddressInfo, createServer } from 'node:net'
import type { NetworkInterfaceInfoIPv4, networkInterfaces } from 'node:os'
import { duplexPair, PassThrough } from 'node:stream'
import { describe, expect, onTestFinished, test } from 'vitest'
import { manualClock, systemClock } from '../../../src/base/clock.ts'
import { createEgress, type EgressPolicy, machineNetwork, serveEgress } from '../../../src/egress/index.ts'
import { createPacer } from '../../../src/egress/pacer.ts'

/** Names as a resolver could answer them. */
const NAMES: Record<string, string[]> = {
  'github.com': ['140.82.112.3'],
  'codeload.github.com': ['140.82.112.9'],
  'rebinding.github.com': ['140.82.112.3', '10.0.0.1'],
  'metadata.github.com': ['169.254.169.254'],
  'inside.github.com': ['fd00::1'],
  'evilgithub.com': ['140.82.112.3'],
  'github.com.evil.io': ['140.82.112.3'],
  'mirror.example': ['10.1.2.3'],
  'own.github.com': ['198.51.99.7'],
  'neighbour.github.com': ['2001:4860:5:6::1'],
  'hosted.github.com': ['198.51.99.8', '2001:4860:5:7::1'],
  'files.pythonhosted.example': ['151.101.0.223'],
}
const INTERFACES: ReturnType<typeof networkInterfaces> = {
  eth0: [
    face({ family: 'IPv4', address: '198.51.99.7', cidr: '198.51.99.7/24' }),
    {
      ...face({ family: 'IPv4', address: '2001:4860:5:6::9', cidr: '2001:4860:5:6::9/64' }),
      family: 'IPv6',
      scopeid: 0,
    },
  ],
}
const POLICY: EgressPolicy = {
  hosts: [
    { host: 'github.com', subdomains: true },
    { host: 'mirror.example', subdomains: false, port: 4873, privateAllowed: true },
  ],
  addresses: ['192.0.2.7', '10.9.0.0/16', '::1'],
}

function face(of: Pick<NetworkInterfaceInfoIPv4, 'family' | 'address' | 'cidr'>): NetworkInterfaceInfoIPv4 {
  return { netmask: '', mac: '', internal: false, ...of }
}

/** What becomes of a connection: the address that it is made to, or why not. */
async function outcome(host: string, port = 443, policy: EgressPolicy = POLICY): Promise<string> {
  let opened = ''
  const egress = createEgress(
    {
      lookup: async (name) =>
        (NAMES[name] ?? []).map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      open: async (address) => {
        opened = address
        return new PassThrough()
      },
      ownNetworks: machineNetwork(systemClock(), undefined, () => INTERFACES).ownNetworks,
    },
    { policy },
  )
  return egress.connect(host, port).then(
    () => opened,
    (error: Error) => error.message,
  )
}

describe('what a confined process may reach', () => {
  test.each([
    ['a host by its name', 'github.com', '140.82.112.3'],
    ['below it, at a dot', 'codeload.github.com', '140.82.112.9'],
    ['in capitals, with a dot at its end', 'GitHub.com.', '140.82.112.3'],
    ['a name that leads to a private address, too: the public one is used', 'rebinding.github.com', '140.82.112.3'],
    ['a neighbour of this machine that everyone reaches, too', 'hosted.github.com', '198.51.99.8'],
    ['a listed address', '192.0.2.7', '192.0.2.7'],
    ['a listed range', '10.9.3.4', '10.9.3.4'],
    ['a listed address of IPv6, in another spelling', '[0:0:0:0:0:0:0:1]', '::1'],
  ])('%s', async (_, host, address) => {
    expect((await outcome(host)).replace('0:0:0:0:0:0:0:1', '::1')).toBe(address)
  })

  test.each([
    ['a name that ends alike', 'evilgithub.com', 'is not among the hosts that may be reached'],
    ['a name that begins alike', 'github.com.evil.io', 'is not among the hosts that may be reached'],
    [
      'a name that leads to link-local',
      'metadata.github.com',
      'leads to 169.254.169.254, which is not a public address',
    ],
    [
      'a name that leads to a private address of IPv6',
      'inside.github.com',
      'leads to fd00::1, which is not a public address',
    ],
    [
      "a name that leads to this machine's public address",
      'own.github.com',
      "an address of this machine's own network",
    ],
    ['one that leads behind its router', 'neighbour.github.com', "an address of this machine's own network"],
    ['a private address', '10.0.0.1', 'is not among the hosts that may be reached'],
    ['loopback', '127.0.0.1', 'is not among the hosts that may be reached'],
    ['loopback, as IPv4 in IPv6', '::ffff:127.0.0.1', 'is not among the hosts that may be reached'],
    ['loopback as a number', '2130706433', 'is not among the hosts that may be reached'],
    ['a name that has no address', 'none.github.com', 'none.github.com has no address'],
    ['what is no name', 'a b', 'that is not the name of a host'],
    ['nothing', '', 'that is not the name of a host'],
  ])('not %s', async (_, host, problem) => {
    expect(await outcome(host)).toContain(problem)
  })

  test('a mirror at its own port, wherever it leads, and at no other', async () => {
    expect(await outcome('mirror.example', 4873)).toBe('10.1.2.3')
    expect(await outcome('mirror.example', 22)).toContain('mirror.example:22 is not among the hosts')
  })

  test('a package index leads to public names alone', async () => {
    const policy = { hosts: [], addresses: [], publicPorts: [443] }
    expect(await outcome('files.pythonhosted.example', 443, policy)).toBe('151.101.0.223')
    expect(await outcome('files.pythonhosted.example', 80, policy)).toContain('is not among the hosts')
    expect(await outcome('metadata.github.com', 443, policy)).toContain('not a public address')
    expect(await outcome('140.82.112.3', 443, policy)).toContain('is not among the hosts')
  })
})

test('a server that closes with its last byte: all that it sent arrives', async () => {
  const bytes = 4 * 1024 * 1024
  const server = createServer((socket) => void socket.end(Buffer.alloc(bytes)).on('error', () => {})).listen(
    0,
    '127.0.0.1',
  )
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const policy = { hosts: [], addresses: ['127.0.0.1'] }
  const [inside, outside] = duplexPair()
  await using _served = serveEgress(createEgress(machineNetwork(systemClock()), { policy }), outside, {
    maxBytes: 2 * bytes,
  })
  const session = connect('http://gateway', { createConnection: () => inside })
  onTestFinished(() => session.destroy())
  const stream = session.request({ ':method': 'CONNECT', ':authority': `127.0.0.1:${port}` }, { endStream: false })
  let came = 0
  for await (const piece of stream as AsyncIterable<Uint8Array>) {
    came += piece.byteLength
    // a reader that is slower than the server
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
  }
  expect(came).toBe(bytes)
})

test.each(['x', 'no.example:443'])('who asks too often for %s waits, and holds its place', async (authority) => {
  const clock = manualClock()
  const [inside, outside] = duplexPair()
  const egress = createEgress(machineNetwork(clock), { policy: POLICY })
  await using _served = serveEgress(egress, outside, { pace: { clock, connectionsPerSecond: 2 } })
  const session = connect('http://gateway', { createConnection: () => inside })
  onTestFinished(() => session.destroy())
  let answers = 0
  const streams = Array.from({ length: 4 }, () =>
    session.request({ ':method': 'CONNECT', ':authority': authority }, { endStream: false }),
  )
  for (const stream of streams) stream.on('response', () => answers++).on('error', () => {})
  await Promise.all(streams.slice(0, 2).map((stream) => once(stream, 'response')))
  // what is on its way after them is not
  await new Promise((resolve) => session.ping(resolve))
  expect(answers).toBe(2)
  await Promise.all([once(streams[3] as never, 'response'), clock.advance(1000)])
})

test('a resolver that does not answer is not waited for', async () => {
  const clock = manualClock()
  const network = machineNetwork(clock, { system: () => new Promise(() => {}) })
  const asked = createEgress(network, { policy: POLICY }).connect('github.com', 443)
  asked.catch(() => {})
  await clock.advance(15_000)
  await expect(asked).rejects.toThrow('github.com has no address (the resolver does not answer in time)')
})

describe('a policy that changes', () => {
  test('cuts what it does not allow any more, by its name or its address, and leaves the rest', async () => {
    let policy: EgressPolicy = { hosts: [], addresses: ['127.0.0.1', '127.0.0.2'] }
    const said: string[] = []
    const egress = createEgress(
      { lookup: async () => [{ address: '10.1.2.3', family: 4 }], open: async () => new PassThrough() },
      { policy: () => policy, onDecision: ({ host, allowed }) => void said.push(`${host} ${allowed}`) },
    )
    const named = { host: 'db.example', subdomains: false, port: 1 }
    policy = { ...policy, hosts: [named], privateTargets: [{ address: '10.1.2.3', port: 1 }] }
    const [one, two, db] = await Promise.all(
      ['127.0.0.1', '127.0.0.2', 'db.example'].map((host) => egress.connect(host, 1)),
    )
    for (const connection of [one, two, db]) connection?.on('error', () => {})
    policy = { ...policy, addresses: ['127.0.0.2'] }
    egress.revise()
    expect([one?.destroyed, two?.destroyed, db?.destroyed]).toEqual([true, false, false])
    // its name may still be reached, but not where it leads
    policy = { ...policy, privateTargets: [{ address: '10.1.2.3', port: 2 }] }
    egress.revise()
    expect([two?.destroyed, db?.destroyed]).toEqual([false, true])
    expect(said.slice(3)).toEqual(['127.0.0.1 false', 'db.example false'])
  })

  test('is asked again after the name is resolved and the connection made', async () => {
    let policy: EgressPolicy = POLICY
    const opened = new PassThrough()
    const egress = createEgress(
      {
        lookup: async () => [{ address: '140.82.112.3', family: 4 }],
        async open() {
          policy = { hosts: [], addresses: [] }
          return opened
        },
      },
      { policy: () => policy },
    )
    await expect(egress.connect('github.com', 443)).rejects.toThrow('does not allow it any more')
    expect(opened.destroyed).toBe(true)
  })
})

test('what is faster than its pace waits, over all that share it', async () => {
  const clock = manualClock()
  const pacer = createPacer(clock, 1000)
  const done: string[] = []
  for (const [name, count] of [
    ['a', 1000],
    ['b', 500],
    ['c', 500],
  ] as const)
    void pacer.pass(count).then(() => done.push(name))
  await clock.advance(0)
  expect(done).toEqual(['a'])
  await clock.advance(500)
  expect(done).toEqual(['a', 'b'])
  await clock.advance(500)
  expect(done).toEqual(['a', 'b', 'c'])
})
