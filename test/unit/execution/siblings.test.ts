import { expect, it } from 'vitest'
import { egressListeners, hostsEntries } from '../../../src/execution/egress-targets.ts'
import { maySeeSiblings, runEgress, runPolicy } from '../../../src/execution/run-network.ts'
import { siblingAddresses } from '../../../src/execution/siblings/sibling-addresses.ts'
import { netcapUnder } from '../../fixtures/execution/networks.ts'

const many = Array.from({ length: 64 }, (_, index) => ({ peer: `peer ${index}`, state: 'running' as const }))
const SELF = ['service:self']
const only = { mode: 'allowlist', allow: SELF } as const
const open = { mode: 'open' } as const

it('each sibling has a loopback address of its own, the same whoever else is there', () => {
  const addresses = siblingAddresses('run', many)
  expect(addresses.size).toBe(64)
  for (const address of addresses.keys()) expect(address).toMatch(/^127\.(1[3-9]\d|12[89]|2\d\d)\.\d+\.\d+$/)
  expect([...siblingAddresses('run', many.slice(7, 8)).keys()]).toEqual([[...addresses.keys()][7]])
  expect([...siblingAddresses('another run', many).keys()]).not.toContain([...addresses.keys()][7])
})

it('its ports are neither those of the run nor of what else its gateway listens at', () => {
  const ports = [
    { name: 'web', port: 3200 },
    { name: 'hello', port: 3202, access: 'siblings' as const },
    { name: 'raft', port: 7000, access: 'siblings' as const },
  ]
  const grant = { mode: 'allowlist', allow: ['service:self', 'a.example:3201'] } as const
  const egress = runEgress({ asked: [], grant }, ports)
  if (egress === undefined) throw new Error('it has a network')
  expect(egress).toEqual({
    targets: [{ host: 'a.example', port: 3201 }],
    siblings: {
      list: 3203,
      ports: [
        { name: 'hello', port: 3204 },
        { name: 'raft', port: 3205 },
      ],
    },
  })
  const listeners = egressListeners(egress, [3200, 3202, 7000])
  expect(listeners.map(({ port, address }) => `${address}:${port}`)).toEqual([
    ...['127.0.1.1:3201', '127.0.0.1:3203', '0.0.0.0:3204', '0.0.0.0:3205'],
  ])
  expect(hostsEntries(listeners)).toEqual([['a.example', '127.0.1.1']])
})

it.each([
  ['listed', { asked: SELF, grant: only }, { MODE: 'allowlist', ALLOW: SELF }, true],
  ['listed, PORTS or not', { asked: SELF, grant: only }, { MODE: 'allowlist', ALLOW: SELF, PORTS: [443] }, true],
  ['open', { asked: SELF, grant: open }, { MODE: 'open' }, true],
  ['open, and not asked for', { asked: ['a.b:1'], grant: open }, { MODE: 'open' }, false],
  ['not granted', { asked: SELF, grant: { mode: 'none' as const } }, { MODE: 'open' }, false],
  ['a new policy without it', { asked: SELF, grant: only }, { MODE: 'allowlist', ALLOW: ['a.b:1'] }, false],
  ['a new policy without a network', { asked: SELF, grant: only }, {}, false],
])('a run sees its siblings: %s', (_, network, NETCAP, sees) => {
  const netcap = netcapUnder({ NETCAP })()
  expect(maySeeSiblings(network, netcap)).toBe(sees)
  expect(runPolicy({ ...network, grant: only }, netcap).hosts).toEqual([])
})
