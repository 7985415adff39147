import { describe, expect } from 'vitest'
import type { Verdict } from '../../../src/base/verdict.ts'
import type { ThundercloudNode } from '../../../src/node/index.ts'
import { eventually, ON_HOST, RUNS_NOTHING, test, waitForState } from '../../fixtures/node/mesh.ts'
import { addFolder, HELLO_WEB, stateOf } from '../../fixtures/node/nodes.ts'
import { newHub, newMembersHub } from '../../fixtures/trust/hubs.ts'
import { needs } from '../../require.ts'

const RUNNERS = 10
const LIMITS = { TOTAL: { MEMORY: '256MiB', CPU: '2', DISK: '64MiB', PIDS: 64, RUNS: 2 } }

describe.skipIf(!needs('bubblewrap'))('two hubs and weight 3,000,000 on ten nodes', () => {
  const [light, heavy, members] = [newHub(), newHub(), newMembersHub()]
  const hubs = [light, heavy, members]
  const policy = {
    LIMITS,
    ...ON_HOST,
    QUORUM: { HUBS: 2, WEIGHT: 3_000_000 },
    TRUSTED_HUBS: {
      [light.text]: { WEIGHT: 500_000 },
      [heavy.text]: { WEIGHT: 2_000_000 },
      [members.text]: { WEIGHT: 1_000_000, ...members.pinned },
    },
  }
  let publisher: ThundercloudNode
  const nodes: ThundercloudNode[] = []
  let id: string
  let code: string

  const states = () => nodes.map((node) => node.services().find((service) => service.id === id)?.state)
  const all = (state: string) => Array.from({ length: RUNNERS }, () => state)
  const reasonsOf = ({ reasons }: Verdict) => reasons.map(({ message }) => message).join('; ')
  const says = (hub: (typeof hubs)[number], verdict: 'safe' | 'unsafe', change = {}) =>
    publisher.submitStatement(hub.says(verdict, code, change), { asPublisher: true })

  test.beforeAll(async ({ fileMesh: mesh }) => {
    publisher = await mesh.start('publisher', { runner: { ...policy, ...RUNS_NOTHING } })
    for (let index = 0; index < RUNNERS; index++)
      nodes.push(await mesh.join(`node-${index}`, [publisher, ...nodes.slice(-2)], { runner: policy }))
    code = await addFolder(publisher, HELLO_WEB)
    id = await mesh.publish(publisher, { code, replicas: RUNNERS })
  })

  test('is parked on each, and explain says which hubs are missing', async () => {
    await Promise.all(nodes.map((node) => waitForState(node, id, 'parked')))
    const { verdict, parked } = await (nodes[3] as ThundercloudNode).explain(id)
    expect(parked?.on).toContainEqual({ on: 'quorum', code })
    const said = verdict.reasons.filter(({ rule }) => rule === 'trust').map(({ message }) => message)
    expect(said.join('; ')).toMatch(/2 more of/)
  })

  test('waits for the weight when the count is met', async () => {
    await says(light, 'safe')
    await says(heavy, 'safe')
    // each has decided again, with both words
    await eventually(async () => {
      const words = await Promise.all(nodes.map(async (node) => reasonsOf((await node.explain(id)).verdict)))
      expect(words).toEqual(nodes.map(() => expect.stringContaining('2500000')))
    })
    expect(nodes.map((node) => node.statements({ code }).length)).toEqual(Array(RUNNERS).fill(2))
    expect(states()).toEqual(all('parked'))
    const { verdict } = await (nodes[7] as ThundercloudNode).explain(id, { now: true })
    expect(reasonsOf(verdict)).toContain('2500000')
  })

  test('starts on each at the word of three of four members', async () => {
    await says(members, 'safe')
    await Promise.all(nodes.map((node) => stateOf(node, id, 'running')))
    await eventually(() => expect(publisher.service(id).receipts.map(({ state }) => state)).toEqual(all('running')))
  })

  test('stops on each at the word of one hub, and says why', async () => {
    await says(light, 'unsafe', { severity: 'high', report: 'https://hub.example/why' })
    await Promise.all(nodes.map((node) => stateOf(node, id, 'stopped')))
    const { verdict } = await (nodes[5] as ThundercloudNode).explain(id)
    expect(verdict.redirect).toBe(false)
    const why = verdict.reasons.find(({ rule }) => rule === 'veto')?.message ?? ''
    expect(why).toMatch(/unsafe.*high/)
    const { history } = await (nodes[5] as ThundercloudNode).explain(id, { history: true })
    expect(history?.map(({ verdict }) => (verdict?.run ? 'run' : verdict?.park ? 'parked' : 'dropped'))).toEqual(
      expect.arrayContaining(['parked', 'run', 'dropped']),
    )
  })

  test('does not believe an older attestation that is sent again', async () => {
    await expect(says(light, 'safe', { seq: 1 })).rejects.toThrow(/a later statement/)
    expect(states()).toEqual(all('stopped'))
  })
})
