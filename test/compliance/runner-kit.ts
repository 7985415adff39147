import { describe, expect, it } from 'vitest'
import type { Verdict } from '../../src/base/verdict.ts'
import type { ReceivedService, RunnerSnapshot } from '../../src/runner/index.ts'
import { readVerdict } from '../../src/runner/verdict-schema.ts'
import { configOf, STRANGER, serviceOf, snapshotOf } from '../unit/runner/support.ts'

/** A runner under test: called directly or in its process. */
export interface RunnerUnderTest extends AsyncDisposable {
  decide(service: ReceivedService, snapshot: RunnerSnapshot): Promise<Verdict | undefined>
}

/** What every runner must do, whatever its policy: run in a describe block of its own. */
export function runnerCompliance(name: string, makeRunner: () => Promise<RunnerUnderTest>): void {
  const nothing = { memoryBytes: 0, cpuMillicores: 0, diskBytes: 0, pids: 0, runs: 0, executors: [] }
  const services: Record<string, ReceivedService> = {
    'a small one of its own': serviceOf(),
    "a stranger's": serviceOf({ author: STRANGER }),
    'one without words': serviceOf({ title: '-', desc: '', keywords: [], toolchain: [] }),
    'one as long as the wire allows': serviceOf({
      title: '\u202e'.repeat(42),
      desc: 'é\n'.repeat(1365),
      keywords: Array.from({ length: 32 }, (_, index) => `${index}`.padEnd(64, '語').slice(0, 21)),
      toolchain: Array.from({ length: 16 }, (_, index) => `${index}`.padEnd(10, '語')),
      network: Array.from({ length: 32 }, (_, index) => `${index}.${'a'.repeat(60)}.example.org:443`),
      hostchains: Array.from({ length: 16 }, (_, index) => `${index}`.padEnd(32, 'c')),
    }),
    'one that asks for everything': serviceOf({
      resources: {
        memory: Number.MAX_SAFE_INTEGER,
        disk: Number.MAX_SAFE_INTEGER,
        cpu: Number.MAX_SAFE_INTEGER,
        pids: 65_536,
      },
      replicas: 1024,
    }),
    'one with names of Object.prototype': serviceOf({
      toolchain: ['constructor'],
      keywords: ['__proto__'],
      hostchains: ['toString'],
    }),
  }
  const snapshots: Record<string, RunnerSnapshot> = {
    'with room': snapshotOf(),
    'with no room': snapshotOf(configOf(), { capacity: nothing }),
    'with every default': snapshotOf(configOf({ LIMITS: {}, KEYWORDS: [], PREFER_TOOLCHAIN: {} })),
    'of another node': snapshotOf(configOf(), { own: STRANGER }),
  }
  const pairs = Object.keys(services).flatMap((service) =>
    Object.keys(snapshots).map((node) => [service, node] as const),
  )

  describe(`the runner ${name}`, () => {
    it.each(pairs)('answers about %s on a node %s', async (which, where) => {
      await using runner = await makeRunner()
      const service = frozen(services[which] as ReceivedService)
      const snapshot = frozen(snapshots[where] as RunnerSnapshot)
      const answer = await runner.decide(service, snapshot)
      const verdict = readVerdict(answer === undefined ? null : JSON.parse(JSON.stringify(answer)))
      expect(verdict.reasons.length).toBeGreaterThan(0)
      expect(readVerdict(await runner.decide(service, snapshot)), 'the same question has the same answer').toEqual(
        verdict,
      )
      if (verdict.run === false) return
      const { memory, cpu, disk, pids } = service.resources
      expect(verdict.run.memoryBytes).toBeLessThanOrEqual(Math.min(memory, snapshot.capacity.memoryBytes))
      expect(verdict.run.cpuMillicores).toBeLessThanOrEqual(Math.min(cpu, snapshot.capacity.cpuMillicores))
      expect(verdict.run.diskBytes).toBeLessThanOrEqual(Math.min(disk, snapshot.capacity.diskBytes))
      expect(verdict.run.pids).toBeLessThanOrEqual(Math.min(pids, snapshot.capacity.pids))
      expect(snapshot.capacity.executors.map((executor) => executor.name)).toContain(verdict.run.executor)
      if (service.network.length === 0) expect(verdict.run.network).toEqual({ mode: 'none' })
    })
  })
}

/** A runner changes nothing of what it is handed. */
function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) for (const item of Object.values(value)) frozen(item)
  return Object.freeze(value)
}
