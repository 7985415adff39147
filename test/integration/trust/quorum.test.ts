import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { ThundercloudNode } from '../../../src/node/index.ts'
import {
  addFolder,
  announce,
  bytesOf,
  createWorld,
  HELLO_WEB,
  type NodeWorld,
  newSigner,
  stateOf,
} from '../../fixtures/node/nodes.ts'
import { newHub, newMembersHub } from '../../fixtures/trust/hubs.ts'
import { needs } from '../../require.ts'

const RUNNERS = 10
const PATIENCE = 45_000
const LIMITS = { TOTAL: { MEMORY: '256MiB', CPU: '2', DISK: '64MiB', PIDS: 64, RUNS: 2 } }

describe.skipIf(!needs('bubblewrap'))('two hubs and weight 3,000,000 on ten nodes', () => {
  const [light, heavy, members] = [newHub(), newHub(), newMembersHub()]
  const hubs = [light, heavy, members]
  const policy = {
    LIMITS,
    PREFER_TOOLCHAIN: { host: ['node.js'] },
    QUORUM: { HUBS: 2, WEIGHT: 3_000_000 },
    TRUSTED_HUBS: {
      [light.text]: { WEIGHT: 500_000 },
      [heavy.text]: { WEIGHT: 2_000_000 },
      [members.text]: { WEIGHT: 1_000_000, ...members.pinned },
    },
  }
  let world: NodeWorld
  let publisher: ThundercloudNode
  const nodes: ThundercloudNode[] = []
  let id: string
  let code: string

  const states = () => nodes.map((node) => node.services().find((service) => service.id === id)?.state)
  const all = (state: string) => Array.from({ length: RUNNERS }, () => state)
  const says = (hub: (typeof hubs)[number], verdict: 'safe' | 'unsafe', change = {}) =>
    publisher.submitStatement(hub.says(verdict, code, change), { asPublisher: true })

  beforeAll(async () => {
    world = await createWorld()
    publisher = await world.start('publisher', { runner: { ...policy, KEYWORDS: ['nothing'] } })
    for (let index = 0; index < RUNNERS; index++) {
      const near = [publisher, ...nodes.slice(-2)].flatMap((node) => node.multiaddrs())
      nodes.push(await world.start(`node-${index}`, { runner: { ...policy, STATIC_NODES: near } }))
    }
    await vi.waitFor(() => expect(publisher.peers().length).toBe(RUNNERS), { timeout: PATIENCE })
    code = await addFolder(publisher, HELLO_WEB)
    const announcement = announce(newSigner(), { code, replicas: RUNNERS, replyTo: publisher.multiaddrs() })
    id = announcement.signed.id.toString()
    await publisher.receive(bytesOf(announcement), { asPublisher: true })
  }, 120_000)
  afterAll(() => world[Symbol.asyncDispose]())

  it('is parked on each, and explain says which hubs are missing', async () => {
    await vi.waitFor(() => expect(states()).toEqual(all('parked')), { timeout: PATIENCE })
    const { verdict, parked } = await (nodes[3] as ThundercloudNode).explain(id)
    expect(parked?.on).toContainEqual({ on: 'quorum', code })
    const said = verdict.reasons.filter(({ rule }) => rule === 'trust').map(({ message }) => message)
    expect(said.join('; ')).toMatch(/2 more of/)
  })

  it('waits for the weight when the count is met', async () => {
    await says(light, 'safe')
    await says(heavy, 'safe')
    await vi.waitFor(
      () => expect(nodes.map((node) => node.statements({ code }).length)).toEqual(Array(RUNNERS).fill(2)),
      { timeout: PATIENCE },
    )
    expect(states()).toEqual(all('parked'))
    const { verdict } = await (nodes[7] as ThundercloudNode).explain(id, { now: true })
    expect(verdict.reasons.map(({ message }) => message).join('; ')).toContain('2500000')
  })

  it('starts on each at the word of three of four members', async () => {
    await says(members, 'safe')
    await Promise.all(nodes.map((node) => stateOf(node, id, 'running', 2 * PATIENCE)))
    expect(publisher.service(id).state).not.toBe('running')
  })

  it('stops on each at the word of one hub, and says why', async () => {
    await says(light, 'unsafe', { severity: 'high', report: 'https://hub.example/why' })
    await Promise.all(nodes.map((node) => stateOf(node, id, 'stopped', PATIENCE)))
    const { verdict } = await (nodes[5] as ThundercloudNode).explain(id)
    expect(verdict.redirect).toBe(false)
    const why = verdict.reasons.find(({ rule }) => rule === 'veto')?.message ?? ''
    expect(why).toMatch(/unsafe.*high/)
    const { history } = await (nodes[5] as ThundercloudNode).explain(id, { history: true })
    expect(history?.map(({ verdict }) => (verdict?.run ? 'run' : verdict?.park ? 'parked' : 'dropped'))).toEqual(
      expect.arrayContaining(['parked', 'run', 'dropped']),
    )
  })

  it('does not believe an older word that is told again', async () => {
    await expect(says(light, 'safe', { seq: 1 })).rejects.toThrow(/a later statement/)
    expect(states()).toEqual(all('stopped'))
  })
})
