import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { toDagJson } from '../../../protocols/encoding.ts'
import { ProtocolError, TicketError } from '../../../protocols/errors.ts'
import { lowerTicket } from '../../../protocols/redirection.ts'
import { decodeService } from '../../../protocols/service.ts'
import { decodeFrame } from '../../../protocols/tunnel.ts'

const readme = readFileSync(new URL('../../../protocols/README.md', import.meta.url), 'utf8')

it.each(['00616263', '0100040000', '02', '03776879'])('the frame %s as JSON stands in the specification', (hex) => {
  const json = JSON.parse(toDagJson(decodeFrame(Buffer.from(hex, 'hex')))) as { is: string }
  const shown = readme.match(/\{"is":"[^`]*\}/g)?.map((text) => JSON.parse(text) as unknown)
  expect(shown).toContainEqual(json)
})

it('a reset that is no UTF-8 is malformed', () => {
  expect(() => decodeFrame(Uint8Array.of(3, 0xff))).toThrow(ProtocolError)
})

it('a ticket is lowered to whole numbers only', () => {
  expect(() => lowerTicket({ depth: 2, proof: new Uint8Array(32) }, 1.5)).toThrow(TicketError)
})

it('a service that is too large is refused by its size', () => {
  expect(() => decodeService(new Uint8Array(16_385))).toThrow('has 16385 bytes')
})
