import { randomBytes } from 'node:crypto'
import { describe, expect, vi } from 'vitest'
import { cidOfBytes, decodeCanonical, encodeCanonical, parseCid } from '../../../protocols/encoding.ts'
import { MAX_STATEMENT_BYTES } from '../../../protocols/limits.ts'
import { signFor } from '../../../protocols/signature.ts'
import { decodeStatement, encodeStatement, statementsTopic } from '../../../protocols/statement.ts'
import type { ThundercloudNode } from '../../../src/node/index.ts'
import { type Attacker, createAttacker } from '../../fixtures/mesh/gossip-attacker.ts'
import { idOf, makeService } from '../../fixtures/mesh/gossip-services.ts'
import { eventually, test, waitForState } from '../../fixtures/node/mesh.ts'
import { announce, bytesOf, newSigner } from '../../fixtures/node/nodes.ts'
import { system } from '../../fixtures/system.ts'
import { newHub, newMembersHub } from '../../fixtures/trust/hubs.ts'
import { attestationBy, delegationBy, SOME_CODE } from '../../fixtures/trust/statements.ts'

const TOPIC = statementsTopic('test')
const key = newSigner()
const hub = newHub(key)
const members = newMembersHub()
const strange = newHub()
const policy = { KEYWORDS: ['nothing'], TRUSTED_HUBS: { [hub.text]: {}, [members.text]: members.pinned } }
const PAD = new Uint8Array(MAX_STATEMENT_BYTES)
const newCode = () => cidOfBytes(randomBytes(16)).toString()

const withVerdict = (body: Uint8Array, verdict: string) =>
  encodeCanonical({ ...(decodeCanonical(body) as object), verdict })

/** The attacker talks to the target; what the target forwards, the witness receives. */
describe('a peer that lies about what hubs say', () => {
  let target: ThundercloudNode
  let witness: ThundercloudNode
  let attacker: Attacker
  const reach = (one: Attacker) => one.connect(target.multiaddrs()[0] as string)

  test.beforeAll(async ({ fileMesh: mesh }) => {
    // strangers gossip with it: with 0 it would receive from named nodes only
    target = await mesh.start('target', { runner: policy, node: { PEERS: { LOW: 1 } } })
    witness = await mesh.join('witness', target, { runner: policy })
    // what was sent before the target knew that the witness listens is not sent to it again
    await using herald = await createAttacker()
    await reach(herald)
    await eventually(async () => {
      const code = newCode()
      herald.send(target.peerId, { data: hub.says('safe', code), topic: TOPIC })
      await vi.waitFor(() => expect(known(witness, code)).toEqual(['safe']))
    })
  })
  test.beforeEach(async ({ onTestFinished }) => {
    attacker = await createAttacker()
    await reach(attacker)
    onTestFinished(() => attacker[Symbol.asyncDispose]())
  })

  /** Sends it; resolves with the result of the target's validator. */
  async function attack(data: Uint8Array): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<string>()
    using _listening = target.events.on('network:gossip-arrived', (detail) => {
      if (detail.from === attacker.peerId) resolve(detail.answer)
    })
    attacker.send(target.peerId, { data, topic: TOPIC })
    return await promise
  }
  const known = (node: ThundercloudNode, code: string) => node.statements({ code }).map(({ verdict }) => verdict)

  test('may bring what is true: it is forwarded', async () => {
    const code = newCode()
    expect(await attack(hub.says('safe', code))).toBe('accept')
    expect(await attack(members.says('safe', code))).toBe('accept')
    expect(await attack(members.by(4).says('unsafe', code))).toBe('accept')
    await eventually(() => expect(known(witness, code).sort()).toEqual(['safe', 'unsafe']))
  })

  test.each<[string, (code: string) => Uint8Array]>([
    ['bytes that are nothing', () => randomBytes(64)],
    ['more bytes than a statement has', () => randomBytes(5 * 1024)],
    [
      'a statement that is padded beyond its limit',
      (code) => encodeCanonical({ body: PAD, sig: hub.says('safe', code) }),
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
        return encodeStatement({ bytes: withVerdict(bytes, 'safe'), sig })
      },
    ],
    [
      'an unknown verdict, well signed',
      (code) => {
        const { bytes } = decodeStatement(hub.says('safe', code))
        const body = withVerdict(bytes, 'harmless')
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
    expect(known(target, code)).toEqual([])
    // gossipsub remembers a score for a second
    const score = () => target.peers().find(({ peerId }) => peerId === attacker.peerId)?.score
    await eventually(() => expect(score()).toBeLessThan(0))
  })

  test.each<[string, (code: string) => Uint8Array]>([
    ['an early one', (code) => hub.says('safe', code, { issued: 2 ** 31, expires: 2 ** 31 + 60 })],
    ['an expired one', (code) => hub.says('safe', code, { issued: 1000, expires: 2000 })],
    ['one of a hub that no node trusts', (code) => strange.says('safe', code)],
    ['unsafe by a hub that no node trusts, of code that no node has', (code) => strange.says('unsafe', code)],
    ['too few members', (code) => members.by(2).says('safe', code)],
  ])('%s: ignored, and nothing is believed', async (_name, make) => {
    const code = newCode()
    expect(await attack(make(code))).toBe('ignore')
    expect(known(target, code)).toEqual([])
  })

  test('an older attestation, sent again: ignored, also after a restart', async ({ fileMesh: mesh }) => {
    const code = newCode()
    const [old, last] = [hub.says('safe', code), hub.says('unsafe', code)]
    expect(await attack(last)).toBe('accept')
    expect(await attack(old)).toBe('ignore')
    expect(known(target, code)).toEqual(['unsafe'])
    await mesh.stop('target')
    target = await mesh.start('target')
    await reach(attacker)
    expect(await attack(old)).toBe('ignore')
    expect(known(target, code)).toEqual(['unsafe'])
  })

  test('unsafe about the code of a live service is forwarded for those who trust the hub, and not believed', async () => {
    const code = newCode()
    await target.receive(bytesOf(announce(newSigner(), { code })), { asPublisher: true })
    expect(await attack(strange.says('unsafe', code))).toBe('accept')
    expect(known(target, code)).toEqual([])
  })

  test('staples what is forged: nothing is believed, and the service is decided', async () => {
    const code = newCode()
    const { bytes } = decodeStatement(hub.says('safe', code))
    const forged = encodeStatement({ bytes, sig: new Uint8Array(64) })
    const service = makeService({ depth: 1, change: { code: parseCid(code), statements: [forged, randomBytes(40)] } })
    await target.receive(bytesOf(service))
    const id = idOf(service)
    await waitForState(target, id, 'redirected')
    expect(known(target, code)).toEqual([])
  })

  test('is counted, by what became of it', async () => {
    const { statements: before } = await target.health()
    const code = newCode()
    await attack(randomBytes(50))
    await attack(hub.says('safe', code, { issued: 1000, expires: 2000 }))
    await attack(hub.says('safe', code))
    const { statements: after } = await target.health()
    expect([after.refused - before.refused, after.dropped - before.dropped, after.new - before.new]).toEqual([1, 1, 1])
  })
})

/** The light peer joins through a node that trusts no hub; the other one trusts the hub. */
describe('a light peer that tells statements', () => {
  let stranger: ThundercloudNode
  let believer: ThundercloudNode

  test.beforeAll(async ({ fileMesh: mesh }) => {
    stranger = await mesh.start('stranger')
    believer = await mesh.join('believer', stranger, { runner: { TRUSTED_HUBS: { [hub.text]: {} } } })
  })

  test('reaches a neighbour that trusts the signer by gossip', async ({ fileMesh: mesh }) => {
    await using peer = await mesh.visitor(believer)
    // freeze statements have no record
    expect(await peer.submitStatement(hub.freezes(newSigner().address, 'btc', '10'))).toEqual({ records: 0 })
    await expect.poll(() => believer.statements({ signer: hub.text })).toMatchObject([{ via: 'gossip' }])
  })

  test("leaves a record with nodes that trust no hub, for a believer's lookup after it has gone", async ({
    fileMesh: mesh,
  }) => {
    {
      await using peer = await mesh.visitor(stranger)
      const { records } = await peer.submitStatement(attestationBy(key, system, { verdict: 'unsafe' }))
      expect(records).toBeGreaterThan(0)
    }
    expect(stranger.statements()).toEqual([])
    const found = await believer.lookUpStatements({ code: SOME_CODE.toString() })
    expect(found).toMatchObject([{ signer: hub.text, verdict: 'unsafe', trusted: true }])
  })

  test('sends no peer what would be refused, and says why in one sentence', async ({ fileMesh: mesh }) => {
    await using peer = await mesh.visitor(believer)
    const foreign = delegationBy(key, newSigner(), { ...system, network: 'other' })
    const message = expect.stringMatching(/^the statement: sig: is not the delegation signature/)
    await expect(peer.submitStatement(foreign)).rejects.toMatchObject({ name: 'InputError', message })
    const expired = attestationBy(key, system, { issued: 1, expires: 2 })
    await expect(peer.submitStatement(expired)).rejects.toThrow(/^the statement: body\.expires: has passed/)
    await expect(peer.submitStatement(Uint8Array.of(1, 2))).rejects.toMatchObject({ name: 'InputError' })
  })
})
