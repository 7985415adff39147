import { expect, it } from 'vitest'
import { networkNotes } from '../../../src/cli/publishing/network-notes.ts'

const run = { ports: [{ name: 'https', port: 443 }] }

it('a port that a service has and asks for, and an address, are said before it is published', () => {
  expect(networkNotes({ network: ['api.example:80', '*.example:5432'], run })).toEqual([])
  expect(networkNotes({ network: ['api.example:443', 'other.example:443', '10.0.0.5:5432'], run })).toEqual([
    expect.stringMatching(/^port 443 is its own \("https"\) and one that it asks for: it must listen on 127\.0\.0\.1/),
    expect.stringMatching(/^10\.0\.0\.5:5432: an address/),
  ])
  const network = ['service:self']
  expect(networkNotes({ network, run })).toEqual([expect.stringMatching(/no port has access "siblings"/)])
  const ports = [{ name: 'hello', port: 1, access: 'siblings' as const }]
  expect(networkNotes({ network, run: { ports } })).toEqual([])
})
