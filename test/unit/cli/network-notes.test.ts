import { expect, it } from 'vitest'
import { networkNotes } from '../../../src/cli/publishing/network-notes.ts'

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

it('a port that a run may be unable to listen at is said before it is published', () => {
  const portsOf = (...ports: number[]) => ({ ports: ports.map((port) => ({ name: `p${port}`, port })) })
  expect(networkNotes({ network: [], run: portsOf(1024, 8080) })).toEqual([])
  expect(networkNotes({ network: [], run: portsOf(80, 1023, 1024) })).toEqual([
    expect.stringMatching(/^below 1024 is port 80 and 1023, and a run is not root: .*EACCES/),
  ])
})
