import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { cidOfBytes, decodeCanonical, encodeCanonical, parseCid } from '../../../protocols/encoding.ts'
import { MAX_STATEMENT_BYTES } from '../../../protocols/limits.ts'
import { signFor } from '../../../protocols/signature.ts'
import { decodeStatement, encodeStatement, statementsTopic } from '../../../protocols/statement.ts'
import type { NodeEvents, ThundercloudNode } from '../../../src/node/index.ts'
import { type Attacker, createAttacker } from '../../fixtures/mesh/gossip-attacker.ts'
import { idOf, makeService } from '../../fixtures/mesh/gossip-services.ts'
import { announce, bytesOf, createWorld, type NodeWorld, newSigner } from '../../fixtures/node/nodes.ts'
import { newHub, newMembersHub } from '../../fixtures/trust/hubs.ts'

const TOPIC = statementsTopic('test')
const key = newSigner()
const hub = newHub(key)
const members = newMembersHub()
const strange = newHub()
const policy = {
  KEYWORDS: ['nothing'],
  TRUSTED_HUBS: { [hub.text]: {}, [members.text]: members.pinned },
}
const newCode = () => cidOfBytes(randomBytes(16)).toString()

/** The attacker talks to the victim; what the victim forwards, the witness hears. */
describe('a peer that lies about what hubs say', () => {
  let world: NodeWorld
  let victim: ThundercloudNode
  let witness: ThundercloudNode
  let attacker: Attacker

  beforeAll(async () => {
    world = await createWorld()
    // strangers gossip with it: with 0 it would hear named nodes only
    victim = await world.start('victim', { runner: policy, node: { PEERS: { LOW: 1 } } })
    witness = await world.start('witness', { runner: { ...policy, STATIC_NODES: victim.multiaddrs() } })
    await vi.waitFor(() => expect(victim.peers()).toHaveLength(1), { timeout: 45_000 })
    // what was said before the victim knew that the witness listens is not told it again
    await using herald = await createAttacker()
    await herald.connect(victim.multiaddrs()[0] as string)
    await vi.waitFor(
      async () => {
        const code = newCode()
        herald.send(victim.peerId, { data: hub.says('safe', code), topic: TOPIC })
        await vi.waitFor(() => expect(known(witness, code)).toEqual(['safe']))
      },
      { timeout: 45_000 },
    )
  })
  afterAll(() => world[Symbol.asyncDispose]())
  beforeEach(async (context) => {
    attacker = await createAttacker()
    await attacker.connect(victim.multiaddrs()[0] as string)
    context.onTestFinished(() => attacker[Symbol.asyncDispose]())
  })

  /** Sends it; resolves with what the victim's gate said. */
  async function attack(data: Uint8Array): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<string>()
    using _listening = victim.events.on('network:gossip-arrived', (detail: NodeEvents['network:gossip-arrived']) => {
      if (detail.from === attacker.peerId) resolve(detail.answer)
    })
    attacker.send(victim.peerId, { data, topic: TOPIC })
    return await promise
  }
  const known = (node: ThundercloudNode, code: string) => node.statements({ code }).map(({ verdict }) => verdict)

  it('may bring what is true: it is forwarded', async () => {
    const code = newCode()
    expect(await attack(hub.says('safe', code))).toBe('accept')
    expect(await attack(members.says('safe', code))).toBe('accept')
    expect(await attack(members.by(4).says('unsafe', code))).toBe('accept')
    await vi.waitFor(() => expect(known(witness, code).sort()).toEqual(['safe', 'unsafe']), { timeout: 45_000 })
  })

  it.each<[string, (code: string) => Uint8Array]>([
    ['bytes that are nothing', () => randomBytes(64)],
    ['more bytes than a statement has', () => randomBytes(5 * 1024)],
    [
      'a statement that is padded beyond its limit',
      (code) => encodeCanonical({ body: new Uint8Array(MAX_STATEMENT_BYTES), sig: hub.says('safe', code) }),
    ],
    ['a statement of another network', (code) => newHub(key, 'elsewhere').says('safe', code)],
    [
      'a statement signed as another kind',
      (code) => {
        const { bytes } = decodeStatement(hub.says('safe', code))
        return encodeStatement({ bytes, sig: signFor(key, 'test', 'freeze', bytes) })
      },
    ],
    [
      'another verdict under the signature of the hub',
      (code) => {
        const { bytes, sig } = decodeStatement(hub.says('unsafe', code))
        const body = encodeCanonical({ ...(decodeCanonical(bytes) as object), verdict: 'safe' })
        return encodeStatement({ bytes: body, sig })
      },
    ],
    [
      'an unknown verdict, well signed',
      (code) => {
        const { bytes } = decodeStatement(hub.says('safe', code))
        const body = encodeCanonical({ ...(decodeCanonical(bytes) as object), verdict: 'harmless' })
        return encodeCanonical({ body, sig: signFor(key, 'test', 'attestation', body) })
      },
    ],
    [
      "somebody's signature for the hub of several members",
      (code) => {
        const { bytes, sig } = decodeStatement(members.says('safe', code))
        return encodeStatement({ bytes, sig })
      },
    ],
  ])('%s: the sender pays, and nothing is believed', async (_name, forge) => {
    const code = newCode()
    expect(await attack(forge(code))).toBe('reject')
    expect(known(victim, code)).toEqual([])
    // gossipsub remembers a score for a second
    await vi.waitFor(
      () => expect(victim.peers().find(({ peerId }) => peerId === attacker.peerId)?.score).toBeLessThan(0),
      { timeout: 45_000 },
    )
  })

  it.each<[string, (code: string) => Uint8Array]>([
    ['an early one', (code) => hub.says('safe', code, { issued: 2 ** 31, expires: 2 ** 31 + 60 })],
    ['an expired one', (code) => hub.says('safe', code, { issued: 1000, expires: 2000 })],
    ['one of a hub that nobody trusts', (code) => strange.says('safe', code)],
    ['unsafe by a hub that nobody trusts, of code that nobody has', (code) => strange.says('unsafe', code)],
    ['too few members', (code) => members.by(2).says('safe', code)],
  ])('%s: ignored, and nothing is believed', async (_name, make) => {
    const code = newCode()
    expect(await attack(make(code))).toBe('ignore')
    expect(known(victim, code)).toEqual([])
  })

  it('an older word, told again: ignored, also after a restart', async () => {
    const code = newCode()
    const [old, last] = [hub.says('safe', code), hub.says('unsafe', code)]
    expect(await attack(last)).toBe('accept')
    expect(await attack(old)).toBe('ignore')
    expect(known(victim, code)).toEqual(['unsafe'])
    await world.stop('victim')
    victim = await world.start('victim')
    await attacker.connect(victim.multiaddrs()[0] as string)
    expect(await attack(old)).toBe('ignore')
    expect(known(victim, code)).toEqual(['unsafe'])
  })

  it('unsafe about the code of a live service is passed on for those who trust the hub, and not believed', async () => {
    const code = newCode()
    await victim.receive(bytesOf(announce(newSigner(), { code })), { asPublisher: true })
    expect(await attack(strange.says('unsafe', code))).toBe('accept')
    expect(known(victim, code)).toEqual([])
  })

  it('staples what is forged: nothing is believed, and the service is decided', async () => {
    const code = newCode()
    const { bytes } = decodeStatement(hub.says('safe', code))
    const forged = encodeStatement({ bytes, sig: new Uint8Array(64) })
    const service = makeService({ depth: 1, change: { code: parseCid(code), statements: [forged, randomBytes(40)] } })
    await victim.receive(bytesOf(service))
    const id = idOf(service)
    await vi.waitFor(() => expect(victim.service(id).state).toBe('redirected'), { timeout: 45_000 })
    expect(known(victim, code)).toEqual([])
  })

  it('is counted, by what became of it', async () => {
    const { statements: before } = await victim.health()
    const code = newCode()
    await attack(randomBytes(50))
    await attack(hub.says('safe', code, { issued: 1000, expires: 2000 }))
    await attack(hub.says('safe', code))
    const { statements: after } = await victim.health()
    expect([after.refused - before.refused, after.dropped - before.dropped, after.new - before.new]).toEqual([1, 1, 1])
  })
})
