import {
  decodeAnnouncement,
  encodeAnnouncement,
  messageId,
  servicesTopic,
  supersedes,
  timeWindowError,
  verifyAnnouncement,
} from '../../../protocols/announcement.ts'
import { checkTicket, emittedDepth, issueTicket, lowerTicket } from '../../../protocols/redirection.ts'
import { createKeyCache } from '../../../protocols/signature.ts'
import type { Op } from '../kit/kit.ts'
import { hex, type Input, unhex } from '../kit/kit.ts'

export const announcementOps: Record<string, Op> = {
  'redirection.issue': ({ depth, secret }) => {
    const { reach, ticket } = issueTicket(Number(depth), unhex(secret))
    const proofs = Array.from({ length: reach.depth + 1 }, (_, d) => hex(lowerTicket(ticket, d).proof))
    return { anchor: hex(reach.anchor), proofs }
  },
  'redirection.check': ({ reachDepth, anchor, depth, proof }) => {
    checkTicket({ depth: Number(reachDepth), anchor: unhex(anchor) }, { depth: Number(depth), proof: unhex(proof) })
    return {}
  },
  'redirection.lower': ({ depth, proof, to }) => {
    return { proof: hex(lowerTicket({ depth: Number(depth), proof: unhex(proof) }, Number(to)).proof) }
  },
  'redirection.emitted': ({ best, limit }) => ({ depth: emittedDepth(Number(best), Number(limit)) ?? null }),
  'announcement.receive': (input) => {
    const { signed, ticket } = receive(input)
    const { kind, id, body } = signed
    return {
      kind,
      id: id.toString(),
      name: body.name,
      seq: body.seq,
      depth: ticket.depth,
      proof: hex(ticket.proof),
      messageId: hex(messageId(servicesTopic(String(input.network)), unhex(input.bytes))),
    }
  },
  'announcement.redirect': (input) => {
    const { signed, ticket } = receive(input)
    const depth = emittedDepth(ticket.depth, Number(input.limit))
    if (depth === undefined) return { bytes: null }
    return { bytes: hex(encodeAnnouncement({ signed, ticket: lowerTicket(ticket, depth) })) }
  },
  'announcement.clock': ({ issued, expires, now }) => {
    return { clock: timeWindowError({ issued: Number(issued), expires: Number(expires) }, Number(now)) ?? 'in time' }
  },
  'announcement.stands': ({ a, b }) => {
    const [first, second] = [decodeAnnouncement(unhex(a)).signed, decodeAnnouncement(unhex(b)).signed]
    if (supersedes(first, second) === supersedes(second, first)) throw new TypeError('one of two must stand')
    return { stands: supersedes(first, second) ? 'a' : 'b' }
  },
}

function receive({ bytes, network }: Input): ReturnType<typeof decodeAnnouncement> {
  const announcement = decodeAnnouncement(unhex(bytes))
  verifyAnnouncement(announcement.signed, String(network), createKeyCache())
  if (hex(encodeAnnouncement(announcement)) !== bytes)
    throw new TypeError('accepted bytes that it would write differently')
  return announcement
}
