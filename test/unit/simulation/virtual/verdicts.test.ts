import { expect, test } from 'vitest'
import type { RunningService } from '../../../../src/runner/contract.ts'
import { planOf } from '../../../../src/simulation/plan/plan.ts'
import { fastRandom } from '../../../../src/simulation/plan/random.ts'
import type { Publication } from '../../../../src/simulation/plan/timeline.ts'
import { wholeScenario } from '../../../../src/simulation/scenario/read.ts'
import { createVerdicts, receivedServiceOf } from '../../../../src/simulation/virtual/verdicts.ts'

const ROOM = { MEMORY: '256MiB', CPU: '1', DISK: '64MiB', PIDS: 64, RUNS: 3 }

test('what is remembered of Andromeda is what it says: ten thousand nodes, each asked again', async () => {
  const groups = [
    { REDIRECT: 'always', LIMITS: { TOTAL: ROOM } },
    { KEYWORDS: ['music'], LIMITS: { TOTAL: ROOM, EVICT: true } },
    { REDIRECT: 'never', TRUST_TREE: { ROOTS: {} } },
    { DESC_MAX_LEN: 30, DORMITORY: { MAX: 0 } },
  ].map((policy, index) => ({ name: `group-${index}`, share: 0.25, policy: policy as object }))
  const hubless = { title: 'verdicts', nodes: 50, seconds: 100, groups }
  const publish = { do: 'publish', at: 1, count: 5 }
  const instructions = [
    publish,
    { ...publish, keywords: ['Music'], memoryBytes: 2 ** 27 },
    { ...publish, descLength: 60, toolchain: ['python'] },
    { ...publish, replicas: 7, cpuMillicores: 600 },
  ]
  const file = { file: 'scenario.json', folder: '.' }
  const unknowing = planOf(await wholeScenario({ ...hubless, instructions }, file))
  const hubs = [1, 2].map((node) => createVerdicts(unknowing).addressOf(node))
  const trusting = groups.map((group, index) =>
    index === 0
      ? group
      : { ...group, policy: { ...group.policy, TRUSTED_HUBS: Object.fromEntries(hubs.map((hub) => [hub, {}])) } },
  )
  const plan = planOf(await wholeScenario({ ...hubless, instructions, groups: trusting }, file))
  const verdicts = createVerdicts(plan)
  const fresh = createVerdicts(plan)
  const services = plan.timeline.flatMap((action) => {
    if (action.do !== 'publish') return []
    const known = { author: verdicts.addressOf(action.node), issued: 1_800_000_000 }
    return [receivedServiceOf(action.service, action.of as Publication, known)]
  })
  const random = fastRandom('verdicts')
  const pick = <T>(list: readonly T[]) => list[random.int(list.length)] as T
  const seen = new Set<string>()
  for (let node = 0; node < 10_000; node++) {
    const running = Array.from({ length: random.int(4) }, (): RunningService => {
      const { id, author, name, resources } = pick(services)
      return { ...resources, id, author, name, rank: 0, own: random.int(8) === 0, executor: 'host' }
    })
    const nowSeconds = 1_800_000_000 + random.int(3)
    const attestations = hubs
      .filter(() => random.int(3) === 0)
      .map((hub) => ({
        hub,
        verdict: pick(['safe', 'unsafe'] as const),
        issued: 1_800_000_000,
        expires: 1_800_000_002 + random.int(2),
      }))
    const situation = { group: random.int(4), own: random.int(5) === 0, running, attestations, nowSeconds }
    const service = pick(services)
    const remembered = verdicts.decide(service, situation)
    expect(remembered).toEqual(fresh.ask(service, situation))
    seen.add(JSON.stringify(remembered))
  }
  // it was worth remembering, and there was something to tell apart
  expect(verdicts.asked).toBeLessThan(fresh.asked)
  expect(seen.size).toBeGreaterThan(8)
})
