import { describe, expect, it } from 'vitest'
import type { RunnerSnapshot } from '../../../src/runner/index.ts'
import { byName, configOf, failureOf, OWN, runnerIn, SHORT, STRANGER, serviceOf, snapshotOf, YES } from './support.ts'

const GRANT = `{ executor: 'docker', memoryBytes: 1024, cpuMillicores: 10, diskBytes: 0, pids: 1, network: { mode: 'none' } }`
const runs = (grant: string, more = '') =>
  `return { run: { ...${GRANT}, ${grant} }, redirect: false, reasons: [{ rule: 'a', outcome: 'pass', message: 'b' }], ${more} }`
const running = (id: string, own: boolean, memory = 0) =>
  ({ id, author: STRANGER, name: id, rank: 0, own, memory, disk: 0, cpu: 0, pids: 0 }) as const

describe('a verdict that gives what is not there to give', () => {
  const MIB = 1024 * 1024
  const config = configOf({
    NETCAP: { MODE: 'allowlist', ALLOW: ['a.example:443', '*.b.example:443'], RATE_KBPS: 100 },
    LIMITS: {
      TOTAL: { MEMORY: '512MiB', CPU: 1000, DISK: '1GiB', PIDS: 64, RUNS: 4 },
      SERVICE: { MEMORY: '128MiB', TIMEOUT: 60 },
      EVICT: true,
    },
  })
  const common = 'timeoutSeconds: 60'
  const cases: Record<string, [code: string, words: RegExp]> = {
    limit: [
      runs(`memoryBytes: ${128 * MIB + 1}, ${common}`),
      /run\.memoryBytes: is .*, and LIMITS\.SERVICE\.MEMORY allows 128/,
    ],
    free: [runs(`cpuMillicores: 501, ${common}`), /run\.cpuMillicores: is 501, and 500 is free/],
    time: [runs('timeoutSeconds: 61'), /run\.timeoutSeconds: must be at most 60/],
    endless: [runs(''), /run\.timeoutSeconds: must be at most 60/],
    executor: [runs(`executor: 'host', ${common}`), /run\.executor: host takes the node's own services only/],
    open: [
      runs(`network: { mode: 'open', rateKbps: 1 }, ${common}`),
      /run\.network\.mode: is "open", and NETCAP\.MODE is "allowlist"/,
    ],
    host: [
      runs(`network: { mode: 'allowlist', allow: ['evilb.example:443'], rateKbps: 1 }, ${common}`),
      /evilb\.example:443 is not in NETCAP\.ALLOW/,
    ],
    port: [
      runs(`network: { mode: 'allowlist', allow: ['a.example:44'], rateKbps: 1 }, ${common}`),
      /a\.example:44 is not in/,
    ],
    rate: [
      runs(`network: { mode: 'allowlist', allow: ['a.example:443'] }, ${common}`),
      /rateKbps: must be at most 100/,
    ],
    stranger: [
      runs(common, `evict: ['nobody']`),
      /evict: no service nobody runs here; only ids that "running" of the snapshot holds are right/,
    ],
    own: [runs(common, `evict: ['mine']`), /evict: mine is the operator's own/],
    idle: [`return { ...${YES}, evict: ['theirs'] }`, /evict: only a verdict that runs the service ends others/],
  }
  const base = snapshotOf(config)
  const snapshot: RunnerSnapshot = {
    ...base,
    capacity: {
      ...base.capacity,
      cpuMillicores: 500,
      executors: [
        { name: 'docker', networks: ['allowlist', 'open'] },
        { name: 'host', ownOnly: true },
      ],
    },
    running: [running('mine', true), running('theirs', false)],
  }

  it('is no verdict: not run, not passed on, and one sentence says where', async () => {
    const codes = Object.fromEntries(Object.entries(cases).map(([name, [code]]) => [name, code]))
    await using runner = runnerIn(byName(codes), { config })
    await runner.host.start()
    for (const [name, [, words]] of Object.entries(cases)) {
      const error = await failureOf(runner.host.decide(serviceOf({ name, author: STRANGER }), snapshot))
      expect(error, name).toMatchObject({ name: 'RunnerError', kind: 'overreach' })
      expect(error.message, name).toMatch(/^the runner gave what it may not: /)
      expect(error.message, name).toMatch(words)
      expect(error.message, name).not.toContain('\n')
    }
    expect(runner.host.stats()).toMatchObject({ decided: 0, failed: Object.keys(cases).length, died: 0 })
  })

  it('what is within all of it passes, also network and the room that evicted ones leave', async () => {
    const network = `network: { mode: 'allowlist', allow: ['a.example:443', 'x.y.b.example:443'], rateKbps: 100 }`
    const codes = {
      net: runs(`${network}, ${common}`),
      room: runs(`memoryBytes: ${64 * MIB}, ${common}`, `evict: ['theirs']`),
      full: runs(common),
    }
    await using runner = runnerIn(byName(codes), { config })
    await runner.host.start()
    const decide = (name: string, node: RunnerSnapshot) =>
      runner.host.decide(serviceOf({ name, author: STRANGER }), node)
    expect((await decide('net', snapshot)).run).toMatchObject({ network: { mode: 'allowlist' } })
    const full = {
      ...snapshot,
      capacity: { ...snapshot.capacity, memoryBytes: 0, runs: 0 },
      running: [running('theirs', false, 64 * MIB)],
    }
    expect(await decide('room', full)).toMatchObject({ run: { memoryBytes: 64 * MIB }, evict: ['theirs'] })
    expect(await failureOf(decide('full', full))).toMatchObject({ kind: 'overreach' })
    const gone = { ...snapshot, capacity: { ...snapshot.capacity, executors: [] } }
    expect((await failureOf(decide('net', gone))).message).toMatch(/run\.executor: docker is not there now/)
    const never = { ...full, config: configOf({ LIMITS: { ...config.LIMITS, EVICT: false } }) }
    expect((await failureOf(decide('room', never))).message).toMatch(/evict: LIMITS\.EVICT is false/)
    const netless = { ...snapshot, capacity: { ...snapshot.capacity, executors: [{ name: 'docker' as const }] } }
    expect((await failureOf(decide('net', netless))).message).toMatch(
      /docker executor grants no network of mode "allowlist"/,
    )
  })
})

describe('an answer that plays tricks', () => {
  const proto = (where: string) => `return JSON.parse('${where}')`
  const cases: Record<string, string> = {
    proto: proto('{"__proto__":{"run":false},"run":false,"redirect":true,"reasons":[]}'),
    deep: proto(
      '{"run":false,"redirect":true,"reasons":[{"rule":"a","outcome":"pass","message":"b","__proto__":{"needs":1}}]}',
    ),
    inherited: `return Object.create(${YES})`,
    getter: `return { ...${YES}, get run() { throw new Error('gotcha') } }`,
    json: `return { toJSON() { throw new Error('gotcha') } }`,
    text: `return { toJSON: () => 'run' }`,
    proxy: `return new Proxy({}, { ownKeys() { throw new Error('gotcha') } })`,
    many: `return { ...${YES}, park: Array(17).fill({ on: 'capacity' }) }`,
    evict: `return { ...${YES}, evict: Array(65).fill('x') }`,
    rank: `return { ...${YES}, rank: 'high' }`,
    revived: `return { ...${YES}, rank: NaN, redirect: undefined }`,
  }

  it('is no verdict, and changes nothing in the node', async () => {
    await using runner = runnerIn(byName(cases), { limits: SHORT })
    await runner.host.start()
    const snapshot = snapshotOf(runner.config)
    for (const name of Object.keys(cases)) {
      const error = await failureOf(runner.host.decide(serviceOf({ name }), snapshot))
      expect(error, name).toMatchObject({ kind: 'nonsense' })
    }
    expect(({} as { needs?: unknown; run?: unknown }).run).toBeUndefined()
    expect(runner.host.stats()).toMatchObject({ died: 0, failed: Object.keys(cases).length })
  })

  it('counts as what it is as JSON', async () => {
    const twice = `return { then(ok, no) { ok(${YES}); ok(7); no(new Error('x')) } }`
    const nested = `return { then(ok) { ok(Promise.resolve(${YES})) } }`
    const shown = `return { toJSON: () => (${YES}) }`
    const quoted = `return { run: false, redirect: true, reasons: [{ rule: 'a\\u202e', outcome: 'fail', message: '\\u001b[2Jboo' }] }`
    await using runner = runnerIn(byName({ twice, nested, shown, quoted }), { limits: SHORT })
    await runner.host.start()
    const snapshot = snapshotOf(runner.config)
    for (const name of ['twice', 'nested', 'shown'])
      expect(await runner.host.decide(serviceOf({ name }), snapshot), name).toMatchObject({ redirect: true })
    const { reasons } = await runner.host.decide(serviceOf({ name: 'quoted' }), snapshot)
    expect(reasons).toEqual([{ rule: 'a\ufffd', outcome: 'fail', message: '\ufffd[2Jboo' }])
    expect(runner.host.stats()).toMatchObject({ decided: 4, failed: 0 })
  })

  it('of more than a line holds ends the process, and costs nobody else an answer', async () => {
    const huge = `return { ...${YES}, reasons: [{ rule: 'a', outcome: 'pass', message: 'x'.repeat(2 << 20) }] }`
    await using runner = runnerIn(byName({ huge }))
    await runner.host.start()
    const snapshot = snapshotOf(runner.config)
    const names = ['a', 'huge', 'b', 'c']
    const outcomes = await Promise.allSettled(names.map((name) => runner.host.decide(serviceOf({ name }), snapshot)))
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled'])
    expect(outcomes[1]).toMatchObject({ reason: { kind: 'nonsense' } })
  })

  it("after the deadline is nobody's: it failed once, and the next answer is its own", async () => {
    const code = `export default async service => {
      const { name } = service
      if (name === 'late') await new Promise(resolve => setTimeout(resolve, 700))
      return { run: false, redirect: name === 'late', reasons: [] }
    }`
    await using runner = runnerIn({ 'mine/runner.mjs': code }, { limits: { timeoutMs: 400 } })
    await runner.host.start()
    const snapshot = snapshotOf(runner.config)
    expect(await failureOf(runner.host.decide(serviceOf({ name: 'late' }), snapshot))).toMatchObject({
      kind: 'timeout',
    })
    for (const until = performance.now() + 500; performance.now() < until; ) {
      expect(await runner.host.decide(serviceOf({ name: 'next' }), snapshot)).toMatchObject({ redirect: false })
    }
    expect(runner.host.stats()).toMatchObject({ failed: 1, died: 0, underWay: 0 })
    expect(runner.heard.filter(({ name }) => name === 'runner:failed')).toHaveLength(1)
  })

  it('that breaks its own process from within breaks no other answer', async () => {
    const codes = {
      stringify: `JSON.stringify = () => '{"id":1,"verdict":null}\\n{"id":2'; return ${YES}`,
      prototype: `Object.prototype.toJSON = () => 7; return ${YES}`,
      thenable: `Object.prototype.then = function (ok) { ok(7) }; return ${YES}`,
      array: `Array.prototype.shift = () => undefined; return ${YES}`,
    }
    for (const [name, code] of Object.entries(codes)) {
      await using runner = runnerIn(byName({ [name]: code }), { limits: SHORT })
      await runner.host.start()
      const snapshot = snapshotOf(runner.config)
      const outcome = await runner.host.decide(serviceOf({ name, author: OWN }), snapshot).catch((error) => error)
      if (outcome instanceof Error) expect(outcome, name).toMatchObject({ name: 'RunnerError' })
      // It may have ruined itself for good; whoever asks is told in time, and the host goes on.
      const next = await runner.host.decide(serviceOf(), snapshot).catch((error) => error)
      if (next instanceof Error) expect(next, name).toMatchObject({ name: 'RunnerError' })
      await runner.host.reload()
      expect(await runner.host.decide(serviceOf(), snapshot), name).toMatchObject({ redirect: true })
    }
  })
})
