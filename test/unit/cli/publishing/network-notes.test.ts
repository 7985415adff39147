import { expect, it } from 'vitest'
import { networkNotes } from '../../../../src/cli/publishing/network-notes.ts'

const run = { ports: [{ name: 'https', port: 8443 }] }

it('a port that a service has and asks for, and an address, are said before it is published', () => {
  expect(networkNotes({ network: ['api.example:80', '*.example:5432'], run })).toEqual([])
  expect(networkNotes({ network: ['api.example:8443', 'other.example:8443', '10.0.0.5:5432'], run })).toEqual([
    expect.stringMatching(/^port 8443 is its own \("https"\) and one that it asks for: it must listen on 127\.0\.0\.1/),
    expect.stringMatching(/^10\.0\.0\.5:5432: an address/),
  ])
  const network = ['service:self']
  expect(networkNotes({ network, run })).toEqual([expect.stringMatching(/no port has access "siblings"/)])
  const ports = [{ name: 'hello', port: 8080, access: 'siblings' as const }]
  expect(networkNotes({ network, run: { ports } })).toEqual([])
})

it('of what the gateway listens in the place of is said what is so', () => {
  // through the proxy, at no port of the run
  expect(networkNotes({ network: ['*.example:8443'], run })).toEqual([])
  expect(networkNotes({ network: ['10.0.0.5:8443'], run })).toEqual([
    expect.stringMatching(/^10\.0\.0\.5:8443: an address/),
  ])
  expect(networkNotes({ network: ['127.0.0.1:5432', 'localhost:5433'], run })).toEqual([])
  for (const target of ['localhost:8443', '127.0.0.1:8443'])
    expect(networkNotes({ network: [target], run })).toEqual([
      `${target} is its own port ("https") inside of the run, so that of the machine is never reached: give its own another number`,
    ])
})

it('a port that a run may be unable to listen at is said before it is published', () => {
  const portsOf = (...ports: number[]) => ({ ports: ports.map((port) => ({ name: `p${port}`, port })) })
  expect(networkNotes({ network: [], run: portsOf(1024, 8080) })).toEqual([])
  expect(networkNotes({ network: [], run: portsOf(80, 1023, 1024) })).toEqual([
    expect.stringMatching(/^below 1024 is port 80 and 1023, and a run is not root: .*EACCES/),
  ])
})
