import { PassThrough } from 'node:stream'
import { expect, it } from 'vitest'
import type { NetworkGrant } from '../../../src/base/verdict.ts'
import { readPolicy } from '../../../src/config/index.ts'
import { createEgress } from '../../../src/egress/index.ts'
import { egressListeners, hostsEntries } from '../../../src/execution/egress-targets.ts'
import { runEgress, runPolicy } from '../../../src/execution/run-network.ts'

const NAMES: Record<string, string> = {
  'api.example': '203.0.113.7',
  'a.wild.example': '140.82.112.3',
  'wild.example': '140.82.112.3',
  'db.example': '10.1.2.3',
  'rebinding.example': '127.0.0.1',
  'public.example': '140.82.112.3',
  localhost: '127.0.0.1',
}
const list = (...allow: string[]): NetworkGrant => ({ mode: 'allowlist', allow })
const ALLOW = [
  ...['api.example:443', '*.wild.example:443', 'db.example:5432', '10.1.2.3:5432', 'rebinding.example:22'],
  ...['localhost:4873', '127.0.0.1:80', '140.82.112.3:53'],
]
const OPEN = { MODE: 'open' }
const open: NetworkGrant = { mode: 'open' }

/** "reached", or why not. */
async function outcome(grant: NetworkGrant, NETCAP: object, target: string): Promise<string> {
  const policy = runPolicy({ asked: [target], grant }, readPolicy({ NETCAP }).policy.config.NETCAP)
  const lookup = async (name: string) => [{ address: NAMES[name] ?? '', family: 4 }]
  const [, host = '', port] = /^(.*):(\d+)$/.exec(target) ?? []
  const egress = createEgress({ lookup, open: async () => new PassThrough() }, { policy })
  return egress.connect(host, Number(port)).then(
    () => 'reached',
    (error: Error) => error.message,
  )
}

const NOT_GRANTED = 'not among the hosts'
it.each([
  [
    'an exact host',
    list('public.example:443'),
    { MODE: 'allowlist', ALLOW: ['public.example:443'] },
    'public.example:443',
    'reached',
  ],
  [
    'at another port',
    list('public.example:443'),
    { MODE: 'allowlist', ALLOW: ['public.example:443'] },
    'public.example:80',
    NOT_GRANTED,
  ],
  ['below a wildcard', list('*.wild.example:443'), { MODE: 'allowlist', ALLOW }, 'a.wild.example:443', 'reached'],
  ['the base of a wildcard', list('*.wild.example:443'), { MODE: 'allowlist', ALLOW }, 'wild.example:443', NOT_GRANTED],
  ['what ends alike', list('*.wild.example:443'), { MODE: 'allowlist', ALLOW }, 'awild.example:443', NOT_GRANTED],
  [
    'a name at a private address that is listed',
    list('db.example:5432'),
    { MODE: 'allowlist', ALLOW },
    'db.example:5432',
    'reached',
  ],
  [
    'a name at a private address that is not',
    list('db.example:5432'),
    { MODE: 'allowlist', ALLOW: ['db.example:5432'] },
    'db.example:5432',
    'not a public address',
  ],
  [
    'the address itself, which was not granted',
    list('db.example:5432'),
    { MODE: 'allowlist', ALLOW },
    '10.1.2.3:5432',
    NOT_GRANTED,
  ],
  [
    'a name that a stranger points at this machine',
    list('rebinding.example:22'),
    { MODE: 'allowlist', ALLOW },
    'rebinding.example:22',
    'not a public address',
  ],
  ['localhost, which is listed', list('localhost:4873'), { MODE: 'allowlist', ALLOW }, 'localhost:4873', 'reached'],
  ['loopback, which is listed', list('127.0.0.1:80'), { MODE: 'allowlist', ALLOW }, '127.0.0.1:80', 'reached'],
  ['loopback, where all public names are granted', list('127.0.0.1:80'), OPEN, '127.0.0.1:80', 'not a public address'],
  [
    'what a new policy lists no more',
    list('public.example:443'),
    { MODE: 'allowlist', ALLOW },
    'public.example:443',
    NOT_GRANTED,
  ],
  [
    'what a new policy narrows by its port',
    list('api.example:443'),
    { MODE: 'allowlist', ALLOW, PORTS: [80] },
    'api.example:443',
    NOT_GRANTED,
  ],
  ['a new policy without a network', list('public.example:443'), {}, 'public.example:443', NOT_GRANTED],
  ['open: a public name at any port', open, OPEN, 'public.example:6667', 'reached'],
  ['open: a name at a private address', open, OPEN, 'db.example:5432', 'not a public address'],
  ['open: a port that is not among PORTS', open, { MODE: 'open', PORTS: [443] }, 'public.example:25', NOT_GRANTED],
  ['open, once: a policy that lists hosts', open, { MODE: 'allowlist', ALLOW }, 'public.example:443', NOT_GRANTED],
] as const)('%s', async (_, grant, netcap, target, answer) => {
  expect(await outcome(grant, netcap, target)).toContain(answer)
})

const port = (name: string, port: number, access?: 'siblings') => ({ name, port, access })

it('listens in the place of each host, and has a proxy for the rest', () => {
  const grant = list(
    'a.example:443',
    'b.example:443',
    'a.example:80',
    'localhost:4873',
    '127.0.0.1:8080',
    '*.c.example:443',
    '8.8.8.8:53',
  )
  const egress = runEgress({ asked: [], grant }, [port('a', 8080), port('b', 3128)])
  if (egress === undefined) throw new Error('it has a network')
  expect(egress.proxyPort).toBe(3129)
  const listeners = egressListeners(egress, [8080, 3128])
  expect(listeners.map(({ host, port, address }) => `${host}:${port} at ${address}`)).toEqual([
    ...[
      'a.example:443 at 127.0.1.1',
      'b.example:443 at 127.0.1.2',
      'a.example:80 at 127.0.1.1',
      'localhost:4873 at 127.0.0.1',
    ],
  ])
  expect(hostsEntries(listeners)).toEqual([
    ['a.example', '127.0.1.1'],
    ['b.example', '127.0.1.2'],
  ])
  expect(runEgress({ asked: [], grant: list('a.example:443') }, [])?.proxyPort).toBeUndefined()
  expect(runEgress({ asked: ['a.example:1'], grant: open }, [])).toEqual({
    targets: [{ host: 'a.example', port: 1 }],
    proxyPort: 3128,
  })
  expect(runEgress({ asked: ['a.example:1'], grant: { mode: 'none' } }, [])).toBeUndefined()
})

it.each([
  [['a.example:443', 'a.example:443'], ['127.0.1.1:443']],
  [['localhost:5000', '127.0.0.1:5000'], ['127.0.0.1:5000']],
  [
    ['a.example:443', '127.0.1.1:443', 'b.example:443'],
    ['127.0.1.2:443', '127.0.1.1:443', '127.0.1.3:443'],
  ],
])('at each address and port is listened once, whatever an author asks for: %j', (asked, listened) => {
  const egress = runEgress({ asked, grant: list(...asked) }, [])
  const listeners = egressListeners(egress ?? { targets: [] })
  expect(listeners.map(({ address, port }) => `${address}:${port}`)).toEqual(listened)
})
