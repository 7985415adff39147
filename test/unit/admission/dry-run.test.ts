import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Change } from '../../../src/admission/views.ts'
import type { RunnerConfig } from '../../../src/config/index.ts'
import type { AdmissionNode, AdmissionWorld } from '../../fixtures/node/admission-harness.ts'
import { createAdmissionWorld, otherPeer, policyOf } from '../../fixtures/node/admission-harness.ts'
import { reconsidered } from './fixtures.ts'

const SEED = join(import.meta.dirname, '../../../configs/examples/seed/runners/dev_andromeda/config.json')
const seed = JSON.parse(readFileSync(SEED, 'utf8')) as Record<string, unknown>

/** The seed's policy with some of its keys, and limits of the machine that it does not set. */
const policy = fc.record({
  keys: fc.subarray(['KEYWORDS', 'PREFER_TOOLCHAIN', 'PREFER_SYMBIOTES', 'PREFER_HOSTCHAINS', 'DESC_MAX_LEN']),
  runs: fc.integer({ min: 1, max: 3 }),
  evict: fc.boolean(),
  redirect: fc.constantFrom('always', 'never'),
})

const service = fc.record({
  keywords: fc.subarray(['web3', 'api', 'games'], { minLength: 1 }),
  hostchains: fc.subarray(['btc', 'sol', 'eth']),
  toolchain: fc.constantFrom('node.js', 'rust', 'python').map((name) => [name]),
  desc: fc.constantFrom('short', 'x'.repeat(201)),
  run: fc.constantFrom('task' as const, 'service' as const).map((kind) => ({ command: ['node', 'a.js'], kind })),
})

function policyFrom({ keys, runs, evict, redirect }: typeof policy extends fc.Arbitrary<infer T> ? T : never) {
  const { LIMITS } = policyOf(runs).config
  const chosen = Object.fromEntries(keys.map((key) => [key, seed[key]]))
  return policyOf(runs, { ...chosen, LIMITS: { ...LIMITS, EVICT: evict }, REDIRECT: redirect })
}

const short = (changes: readonly Change[]) =>
  changes.map(({ id, from, to, reasons }) => `${id} ${from} ${to} ${reasons.map(({ rule }) => rule).join(' ')}`).sort()

/** All that a node changes when a policy comes into force, in the foreground and in the background. */
async function applied(world: AdmissionWorld, node: AdmissionNode): Promise<Change[]> {
  const before = world.happened.length
  const all = node.admission.reevaluateAll()
  let isOver = false
  const over = all
    .then(() => node.admission.backgroundIdle())
    .finally(() => {
      isOver = true
    })
  while (!isOver) await node.settle(200)
  await over
  return [...(await all).changes, ...reconsidered(world, before)]
}

const preview = (world: AdmissionWorld, node: AdmissionNode, config: RunnerConfig) =>
  node.admission.reevaluation.preview(async (...asked) => world.runner(...asked), config)

test("for the seed's policies: what the dry run says is what applying then does, and it does nothing itself", async () => {
  const received = fc.array(service, { minLength: 1, maxLength: 6 })
  await fc.assert(
    fc.asyncProperty(received, policy, policy, async (services, first, then) => {
      await using world = await createAdmissionWorld({ policy: policyFrom(first) })
      const node = await world.start()
      for (const one of services) await node.receive(one)
      await node.settle(600)
      const seen = () => [world.journal.runs.all(), node.admission.dormitory.all(), world.happened.length]
      const before = seen()
      const candidate = policyFrom(then)
      const expected = await preview(world, node, candidate.config)
      expect(seen()).toEqual(before)
      world.policy = candidate
      expect(short(expected.changes)).toEqual(short(await applied(world, node)))
    }),
    { numRuns: 25, interruptAfterTimeLimit: 25_000 },
  )
})

test('a smaller dormitory: the preview names those that lose their place', async () => {
  await using world = await createAdmissionWorld({ policy: policyOf(1) })
  const node = await world.start()
  const [, kept, gone] = [await node.receive(), await node.receive(), await node.receive()]
  await node.settle(600)
  const candidate = policyOf(1, { DORMITORY: { MAX: 1 } })
  const { changes } = await preview(world, node, candidate.config)
  expect(changes).toMatchObject([{ id: gone, from: 'parked', to: 'redirected' }])
  expect(changes[0]?.reasons[0]).toMatchObject({ rule: 'dormitory', outcome: 'fail' })
  world.policy = candidate
  await applied(world, node)
  await node.settle(6000)
  expect([kept, gone].map(node.state)).toEqual(['parked', 'redirected'])
})

test('beside other nodes, the preview and what is applied say that a replica must be claimed first', async () => {
  await using world = await createAdmissionWorld({ policy: policyOf(0) })
  const node = await world.start()
  const id = await node.receive()
  await node.settle(600)
  const candidate = policyOf(1)
  const alone = await preview(world, node, candidate.config)
  expect(alone.changes).toMatchObject([{ id, to: 'run' }])
  expect(alone.changes[0]?.claims).toBeUndefined()
  world.neighbours.set(otherPeer(), { state: 'running', leaving: false })
  const { changes } = await preview(world, node, candidate.config)
  expect(changes).toMatchObject([{ id, to: 'run', claims: true }])
  world.policy = candidate
  expect(await applied(world, node)).toMatchObject([{ id, to: 'run', claims: true }])
})
