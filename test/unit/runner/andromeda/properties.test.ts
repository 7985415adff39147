import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MAX_REASON_LENGTH, MAX_REASONS } from '../../../../protocols/limits.ts'
import type { RunnerConfig } from '../../../../src/config/runner-schema.ts'
import { andromeda } from '../../../../src/runner/andromeda/index.ts'
import type { ReceivedService } from '../../../../src/runner/index.ts'
import { configOf, OWN, STRANGER, serviceOf, snapshotOf } from '../support.ts'

const word = fc.constantFrom('api', 'API', 'games', 'web3', 'tor')
const tool = fc.constantFrom('docker', 'node', 'Node.JS', 'rust', 'go', 'cobol\u202e')
const amount = fc.integer({ min: 1, max: 8 })
const little = fc.integer({ min: 1, max: 3 })
/** Mostly what lets a service run: otherwise nearly all would fail at one rule or another. */
function mostly<T>(usual: NoInfer<T>, rare: fc.Arbitrary<T>): fc.Arbitrary<T> {
  return fc.oneof({ arbitrary: fc.constant(usual), weight: 5 }, { arbitrary: rare, weight: 1 })
}
const author = fc.constantFrom(OWN, OWN, OWN, STRANGER)

const service: fc.Arbitrary<ReceivedService> = fc
  .record({
    author,
    desc: fc.string({ maxLength: 5, unit: 'grapheme' }),
    keywords: mostly<string[]>(['api'], fc.array(word, { maxLength: 3 })),
    toolchain: mostly<string[]>(['node'], fc.uniqueArray(tool, { maxLength: 3 })),
    network: mostly<string[]>([], fc.array(fc.constantFrom('a.b:1', '*.c.d:443'), { maxLength: 2 })),
    hostchains: fc.array(fc.constantFrom('btc', 'sol'), { maxLength: 2 }),
    replicas: fc.integer({ min: 1, max: 3 }),
    resources: fc.record({ memory: little, disk: little, cpu: little, pids: little }),
  })
  .map(serviceOf)

const much = mostly(8, amount)
const most = { MEMORY: much, CPU: much, DISK: much, PIDS: much }
const settings = fc.record({
  DESC_MAX_LEN: mostly(20, fc.integer({ min: 0, max: 13 })),
  REDIRECTION_DEPTH: fc.integer({ min: 0, max: 2 }),
  REDIRECT: fc.constantFrom('unless-run', 'always', 'never'),
  KEYWORDS: mostly<string[]>(['tor', 'api', 'web3'], fc.array(word, { maxLength: 3 })),
  PREFER_TOOLCHAIN: fc.record({
    docker: fc.array(tool, { maxLength: 3 }),
    host: mostly<string[]>(['node.js', 'rust'], fc.array(tool, { maxLength: 3 })),
  }),
  PREFER_HOSTCHAINS: fc.constantFrom(
    {},
    { btc: { MIN_FREEZE: 0 }, sol: {} },
    { btc: { MIN_FREEZE: 3 }, sol: { MIN_FREEZE: 1 } },
  ),
  TRUST_TREE: fc.constantFrom({}, { ROOTS: { [STRANGER]: { DEPTH: 0 } } }),
  LIMITS: fc.record({ TOTAL: fc.record({ ...most, RUNS: fc.integer({ min: 0, max: 8 }) }) }),
})

const node = fc
  .record({
    depth: fc.integer({ min: 0, max: 8 }),
    runs: fc.integer({ min: 0, max: 8 }),
    free: much,
    docker: fc.boolean(),
  })
  .map(({ depth, runs, free, docker }) => ({
    depth,
    capacity: {
      memoryBytes: free,
      cpuMillicores: free,
      diskBytes: free,
      pids: free,
      runs,
      executors: docker ? [{ name: 'docker' as const }, { name: 'host' as const }] : [{ name: 'host' as const }],
    },
  }))

describe('a verdict of Andromeda', () => {
  it('is JSON, has reasons, and tells what would help or that nothing does', () => {
    let ran = 0
    fc.assert(
      fc.property(service, settings, node, (asked, chosen, change) => {
        const verdict = andromeda(asked, snapshotOf(configOf(chosen), change))
        expect(JSON.parse(JSON.stringify(verdict))).toEqual(verdict)
        expect(verdict.reasons.length).toBeGreaterThan(0)
        expect(verdict.reasons.length).toBeLessThanOrEqual(MAX_REASONS)
        if (verdict.run !== false) ran++
        expect(verdict.run !== false).toBe(verdict.reasons.every(({ outcome }) => outcome === 'pass'))
        for (const { outcome, needs, message } of verdict.reasons) {
          expect(Buffer.byteLength(message)).toBeLessThanOrEqual(MAX_REASON_LENGTH)
          expect(Buffer.byteLength(needs?.value ?? '')).toBeLessThanOrEqual(MAX_REASON_LENGTH)
          expect(message).not.toMatch(/[\u202e\n]/)
          if (outcome !== 'pass' && needs === undefined)
            expect(message).toMatch(/helps$|asks for some$|nothing runs here$|would run here$/)
        }
      }),
      { numRuns: 1000 },
    )
    expect(ran).toBeGreaterThan(10)
  })

  it('does not depend on the order of keys', () => {
    fc.assert(
      fc.property(service, settings, node, (asked, chosen, change) => {
        const config = configOf(chosen)
        const turned = reversed(config) as RunnerConfig
        expect(Object.keys(turned)).not.toEqual(Object.keys(config))
        expect(andromeda(asked, snapshotOf(turned, change))).toEqual(andromeda(asked, snapshotOf(config, change)))
      }),
    )
  })

  it('does not depend on the clock', () => {
    fc.assert(
      fc.property(service, settings, node, fc.nat(), (asked, chosen, change, now) => {
        const config = configOf(chosen)
        expect(andromeda(asked, snapshotOf(config, { ...change, now }))).toEqual(
          andromeda(asked, snapshotOf(config, change)),
        )
      }),
    )
  })

  it('runs nothing under a stricter configuration that it did not run before', () => {
    const less = fc.record({
      MEMORY: amount,
      CPU: amount,
      DISK: amount,
      PIDS: amount,
      RUNS: fc.integer({ min: 0, max: 8 }),
    })
    let stopped = 0
    fc.assert(
      fc.property(service, settings, node, less, fc.nat({ max: 13 }), (asked, chosen, change, bound, length) => {
        const { TOTAL } = chosen.LIMITS
        const strict = {
          ...chosen,
          DESC_MAX_LEN: Math.min(length, chosen.DESC_MAX_LEN),
          KEYWORDS: chosen.KEYWORDS.length > 1 ? chosen.KEYWORDS.slice(1) : chosen.KEYWORDS,
          PREFER_TOOLCHAIN: { docker: chosen.PREFER_TOOLCHAIN.docker.slice(1), host: chosen.PREFER_TOOLCHAIN.host },
          LIMITS: {
            TOTAL: Object.fromEntries(
              Object.entries(TOTAL).map(([key, value]) => [key, Math.min(value, bound[key as 'CPU'])]),
            ),
          },
        }
        const before = andromeda(asked, snapshotOf(configOf(chosen), change)).run !== false
        const after = andromeda(asked, snapshotOf(configOf(strict), change)).run !== false
        if (before && !after) stopped++
        expect(after && !before).toBe(false)
      }),
      { numRuns: 1000 },
    )
    expect(stopped).toBeGreaterThan(10)
  })
})

function reversed(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, item]) => [key, reversed(item)]),
  )
}
