import { randomBytes } from 'node:crypto'
import { describe, expect } from 'vitest'
import { type Announcement, encodeAnnouncement } from '../../../protocols/announcement.ts'
import { decodeCanonical, encodeCanonical } from '../../../protocols/encoding.ts'
import { MAX_ANNOUNCEMENT_BYTES, MAX_KEYWORDS } from '../../../protocols/limits.ts'
import { lowerTicket } from '../../../protocols/redirection.ts'
import { type Signer, signFor } from '../../../protocols/signature.ts'
import type { Attacker } from '../../fixtures/mesh/gossip-attacker.ts'
import { line } from '../../fixtures/mesh/gossip-graph.ts'
import { addressOf, type GossipMesh } from '../../fixtures/mesh/gossip-mesh.ts'
import { copyAt, idOf, makeService, NETWORK, newSigner } from '../../fixtures/mesh/gossip-services.ts'
import { test } from '../../fixtures/mesh/gossip-test.ts'

/** The attacker talks to the target; what the target forwards, the witness receives; the publisher is honest. */
const PUBLISHER = 0
const TARGET = 1
const WITNESS = 2

let mesh: GossipMesh
let attacker: Attacker
test.beforeEach(async ({ gossip }) => {
  mesh = await gossip.start({ nodes: 3, edges: line(3), seed: 'attacks', files: true, holdMs: 50 })
  attacker = await gossip.attackOn(mesh, TARGET)
})

const peerOf = (node: number) => mesh.member(node).network.peerId
const score = () => mesh.scoreOf(TARGET, attacker.peerId)
const fromAttacker = () => mesh.arrivals(TARGET).filter(({ from }) => from === attacker.peerId)

/** Sends it; resolves with the result of the target's validator. */
async function attack(data: Uint8Array): Promise<string | undefined> {
  const before = fromAttacker().length
  attacker.send(peerOf(TARGET), { data })
  await mesh.until(() => fromAttacker().length > before, 'the target receives from the attacker')
  return fromAttacker().at(-1)?.answer
}

/** What signs anything, also what no honest program would encode. */
function signAnything(author: Signer, announcement: Announcement, change: object): Uint8Array {
  const body = encodeCanonical({ ...(decodeCanonical(announcement.signed.bytes) as object), ...change })
  return encodeCanonical([1, body, signFor(author, NETWORK, 'service', body), 3, announcement.ticket.proof])
}

const service = () => makeService({ depth: 3 })
const forgeries: { name: string; says: string; forge: (honest: Announcement) => Uint8Array }[] = [
  {
    name: 'a depth raised above what the author allowed',
    says: 'the author allowed 3',
    forge: ({ signed, ticket }) => encodeAnnouncement({ signed, ticket: { ...ticket, depth: 4 } }),
  },
  {
    name: 'a depth raised by a relay that holds a lower ticket',
    says: "does not lead to the author's anchor",
    forge: ({ signed, ticket }) => encodeAnnouncement({ signed, ticket: { ...lowerTicket(ticket, 1), depth: 2 } }),
  },
  {
    name: 'a ticket without a proof',
    says: "does not lead to the author's anchor",
    forge: ({ signed, ticket }) => encodeAnnouncement({ signed, ticket: { ...ticket, proof: randomBytes(32) } }),
  },
  {
    name: 'an altered body under the signature of its author',
    says: 'is not the service signature of this author',
    forge({ signed, ticket }) {
      const body = encodeCanonical({ ...(decodeCanonical(signed.bytes) as object), title: 'Another service' })
      return encodeAnnouncement({ signed: { bytes: body, sig: signed.sig }, ticket })
    },
  },
  {
    name: 'a body signed by somebody else than its author',
    says: 'is not the service signature of this author',
    forge: (honest) => signAnything(newSigner(), honest, {}),
  },
  {
    name: 'more keywords than are allowed, well signed',
    says: 'has more than 32 entries',
    forge() {
      const author = newSigner()
      const keywords = Array.from({ length: MAX_KEYWORDS + 1 }, (_, index) => `word ${index}`)
      return signAnything(author, makeService({ depth: 3, author }), { keywords })
    },
  },
  {
    name: 'more bytes than are allowed, well signed',
    says: 'bytes',
    forge() {
      const author = newSigner()
      const statements = [randomBytes(MAX_ANNOUNCEMENT_BYTES)]
      return signAnything(author, makeService({ depth: 3, author }), { statements })
    },
  },
  { name: 'bytes that say nothing', says: 'dag-cbor', forge: () => randomBytes(700) },
]

test.each(forgeries)(
  '$name is rejected: the runner is not asked, nothing is forwarded, and the sender pays',
  async ({ forge, says }) => {
    const honest = service()
    const refusals: string[] = []
    mesh.member(TARGET).events.on('intake:refused', ({ reason }) => refusals.push(reason))
    expect(await attack(forge(honest))).toBe('reject')
    expect(refusals).toEqual([expect.stringContaining(says)])
    await mesh.until(() => score() < 0, 'the score falls')
    // whatever the target would have forwarded takes the way that the honest service takes, and comes before it
    await mesh.publish(PUBLISHER, honest)
    await mesh.until(() => mesh.reached(idOf(honest)).includes(WITNESS), 'the honest service arrives everywhere')
    await mesh.quiet(300)
    expect(mesh.arrivals(WITNESS).map(({ answer }) => answer)).toEqual(['ignore'])
    expect(mesh.decided(idOf(honest))).toEqual([TARGET, WITNESS])
    expect(mesh.member(TARGET).intake.stats()).toMatchObject({ received: 1, refused: 1 })
    expect(mesh.member(TARGET).journal.announcements.count()).toBe(1)
    expect(mesh.member(WITNESS).journal.announcements.count()).toBe(1)
  },
)

test('a depth raised on what is known already is rejected, and the service travels no further for it', async () => {
  const { signed, ticket } = service()
  const raised = encodeAnnouncement({ signed, ticket: { ...lowerTicket(ticket, 1), depth: 2 } })
  expect(await attack(encodeAnnouncement({ signed, ticket: lowerTicket(ticket, 1) }))).not.toBe('reject')
  await mesh.until(() => mesh.reached(signed.id.toString()).includes(WITNESS), 'the true copy is forwarded')
  expect(await attack(raised)).toBe('reject')
  await mesh.until(() => score() < 0, 'the score falls')
  await mesh.quiet(300)
  expect(mesh.member(TARGET).journal.announcements.get(signed.id.toString())?.depth).toBe(1)
  // the publisher and the witness have received it once each, at depth 0
  expect(mesh.arrivals(WITNESS)).toHaveLength(1)
  expect(mesh.arrivals(PUBLISHER)).toHaveLength(1)
})

describe('what an honest relay may send costs nothing', () => {
  const now = Math.floor(Date.now() / 1000)
  test.each([
    { name: 'an expired service', change: { issued: now - 100, expires: now - 1 } },
    { name: 'a service from the future', change: { issued: now + 600, expires: now + 3600 } },
  ])('$name is ignored, and the runner is not asked', async ({ change }) => {
    const out = makeService({ depth: 3, change })
    expect(await attack(copyAt(out))).toBe('ignore')
    await mesh.quiet()
    expect(score()).toBeGreaterThanOrEqual(0)
    expect(mesh.decided(idOf(out))).toEqual([])
    expect(mesh.arrivals(WITNESS)).toEqual([])
  })

  test('a replay after a restart is known: not forwarded, not decided again', async () => {
    const old = service()
    await mesh.publish(PUBLISHER, old)
    await mesh.until(() => mesh.reached(idOf(old)).length === 2, 'everybody knows it')
    await mesh.quiet()
    // no gossipsub remembers any bytes now; only the journals do
    for (const node of [PUBLISHER, TARGET, WITNESS]) await mesh.restart(node)
    await mesh.connect(TARGET, WITNESS)
    await attacker.connect(addressOf(mesh.member(TARGET).network))
    await mesh.quiet()
    for (const depth of [3, 2, 1, 0]) expect(await attack(copyAt(old, depth))).toBe('ignore')
    await mesh.quiet()
    expect(mesh.arrivals(WITNESS)).toEqual([])
    expect(mesh.decided(idOf(old))).toEqual([TARGET, WITNESS])
    expect(score()).toBeGreaterThanOrEqual(0)
  })
})

test('rejects in a minute that reach the graylist disconnect the sender, and it is refused', async () => {
  for (let count = 0; count < 9; count++) expect(await attack(randomBytes(600))).toBe('reject')
  const { network } = mesh.member(TARGET)
  await mesh.until(() => !network.connectedTo(attacker.peerId), 'the attacker is disconnected')
  await attacker.connect(addressOf(network)).catch(() => {})
  expect(network.connectedTo(attacker.peerId)).toBe(false)
  // and the others still get through
  const good = service()
  await mesh.publish(PUBLISHER, good)
  await mesh.until(() => mesh.reached(idOf(good)).length === 2, 'the honest service arrives everywhere')
  expect(fromAttacker().length).toBe(9)
})
