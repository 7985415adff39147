import { describe, expect, it } from 'vitest'
import type { AvailableExecutor, RunnerSnapshot } from '../../../src/runner/index.ts'
import {
  byName,
  configOf,
  isAlive,
  OWN,
  REDIRECTS,
  runnerWithMessage,
  SAMPLE,
  SHORT,
  STRANGER,
  snapshotOf,
  startedRunner,
} from '../../fixtures/runner/runners.ts'

const MIB = 1024 * 1024

describe('a module that fails at one service', () => {
  it('by throwing: that one alone fails, with what was thrown', async () => {
    await using runner = await startedRunner(byName({ bad: 'null.x' }))
    const error = await runner.fails({ name: 'bad' })
    expect(error).toMatchObject({ name: 'RunnerError', kind: 'threw' })
    expect(error.message).toMatch(/^the runner threw TypeError: Cannot read .*\(runner\.mjs:2\)$/)
    expect(await runner.decide()).toMatchObject({ redirect: true })
    expect(runner.reported.filter(({ name }) => name === 'runner:failed')).toHaveLength(1)
  })

  it('by hanging: the host ends it, and the others are answered by the next process', async () => {
    await using runner = await startedRunner(byName({ hang: 'for (;;);' }), { limits: SHORT })
    const first = runner.host.stats().pid
    const names = Array.from({ length: 300 }, (_, index) => (index === 37 || index === 120 ? 'hang' : 'fine'))
    for (const [index, outcome] of (await runner.decideAll(names)).entries()) {
      if (names[index] === 'fine') expect(outcome, String(index)).toMatchObject({ status: 'fulfilled' })
      else expect(outcome).toMatchObject({ status: 'rejected', reason: { kind: 'timeout' } })
    }
    expect(runner.host.stats()).toMatchObject({ died: 2, decided: 298, failed: 2 })
    expect(isAlive(first)).toBe(false)
  })

  const SLOW_TO_LOAD = `await new Promise(resolve => setTimeout(resolve, 1500))
    export default service => { if (service.name === 'bad') for (;;); return ${REDIRECTS} }`
  const HANGS_LATER = `export default async service => {
      await new Promise(resolve => setTimeout(resolve, 20))
      if (service.name === 'bad') for (;;);
      return ${REDIRECTS}
    }`
  const long = `return { ...${REDIRECTS}, reasons: [{ rule: 'a', outcome: 'pass', message: 'x'.repeat(2 << 20) }] }`
  it.each<[string, { timeoutMs?: number }, string | Record<string, string>, string]>([
    [
      'hanging, and the next process takes longer to load than a decision may',
      { timeoutMs: 300 },
      SLOW_TO_LOAD,
      'timeout',
    ],
    [
      'hanging after an await: possible causes are asked alone, only the one that hangs fails',
      SHORT,
      HANGS_LATER,
      'timeout',
    ],
    ['an answer of more than a line holds: it ends the process', {}, byName({ bad: long }), 'nonsense'],
  ])('by %s, and costs no other caller an answer', async (_name, limits, code, kind) => {
    await using runner = await startedRunner(code, { limits })
    const outcomes = await runner.decideAll(['a', 'bad', 'b', 'c'])
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled'])
    expect(outcomes[1]).toMatchObject({ reason: { kind } })
  })

  it('by never settling: that one fails in time, its signal aborts, the process lives', async () => {
    const waits = `if (service.name === 'never') {
      node.signal.addEventListener('abort', () => aborted++)
      await new Promise(() => {})
    }`
    await using runner = await startedRunner(`let aborted = 0; ${runnerWithMessage('String(aborted)', waits)}`, {
      limits: SHORT,
    })
    const never = runner.fails({ name: 'never' })
    expect(await runner.says()).toBe('0')
    expect(await never).toMatchObject({ kind: 'timeout' })
    expect(await runner.says()).toBe('1')
    expect(runner.host.stats().died).toBe(0)
  })

  it.each([
    'process.exit(0)',
    'process.abort()',
    // outside of the call
    'queueMicrotask(() => { throw new Error("later") }); return',
  ])('by ending the process (%s): others are answered by the next one', async (code) => {
    await using runner = await startedRunner(byName({ bad: code }), { limits: SHORT })
    const [before, bad, after] = await runner.decideAll(['a', 'bad', 'b'])
    expect(before).toMatchObject({ status: 'fulfilled' })
    // An exception from elsewhere can come after the answer: then no call is to blame.
    if (bad?.status === 'rejected') expect(bad.reason).toMatchObject({ kind: 'died' })
    expect(after).toMatchObject({ status: 'fulfilled' })
    await runner.decide()
    expect(runner.host.stats().died).toBeGreaterThan(0)
  })

  it.each([
    ['the heap', 'const all = new Map(); for (let i = 0; ; i++) all.set(i, [i, i + 0.5])'],
    ['buffers', 'const all = []; for (;;) all.push(Buffer.alloc(1 << 20, 1))'],
  ])('by taking memory without end (%s): the node keeps its own', async (_name, code) => {
    await using runner = await startedRunner(byName({ grow: code }), { limits: { timeoutMs: 20_000, heapMb: 64 } })
    const before = process.memoryUsage().rss
    expect(await runner.fails({ name: 'grow' })).toMatchObject({ kind: 'memory' })
    expect(await runner.decide()).toMatchObject({ redirect: true })
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * MIB)
  })

  it('by writing into its pipe: it is ended, no other caller pays', async () => {
    const lie = `fs.writeSync(4, '{"id":99999,"verdict":null}\\n')`
    const files = byName({ lie, noise: `fs.writeSync(4, 'hello\\n')` })
    await using runner = await startedRunner(`import fs from 'node:fs'\n${files['mine/runner.mjs']}`, { limits: SHORT })
    for (const name of ['lie', 'noise']) {
      const [bad, good] = await runner.decideAll([name, 'fine'])
      expect(good).toMatchObject({ status: 'fulfilled' })
      expect(bad?.status === 'fulfilled' || bad?.reason.kind === 'nonsense').toBe(true)
    }
  })

  it('by answering after the deadline: it failed once, and the next answer is its own', async () => {
    const code = `export default async service => {
      const late = service.name === 'late'
      if (late) await new Promise(resolve => setTimeout(resolve, 700))
      return { run: false, redirect: late, reasons: [] }
    }`
    await using runner = await startedRunner(code, { limits: { timeoutMs: 400 } })
    expect(await runner.fails({ name: 'late' })).toMatchObject({ kind: 'timeout' })
    for (const until = performance.now() + 500; performance.now() < until; )
      expect(await runner.decide({ name: 'next' })).toMatchObject({ redirect: false })
    expect(runner.host.stats()).toMatchObject({ failed: 1, died: 0, underWay: 0 })
    expect(runner.reported.filter(({ name }) => name === 'runner:failed')).toHaveLength(1)
  })

  it.each([
    ['stringify', `JSON.stringify = () => '{"id":1,"verdict":null}\\n{"id":2'; return ${REDIRECTS}`],
    ['prototype', `Object.prototype.toJSON = () => 7; return ${REDIRECTS}`],
    ['thenable', `Object.prototype.then = function (ok) { ok(7) }; return ${REDIRECTS}`],
    ['array', `Array.prototype.shift = () => undefined; return ${REDIRECTS}`],
  ])('by breaking its own process from within (%s): it breaks no other answer', async (name, code) => {
    await using runner = await startedRunner(byName({ [name]: code }), { limits: SHORT })
    const outcome = await runner.decide({ name, author: OWN }).catch((error) => error)
    if (outcome instanceof Error) expect(outcome).toMatchObject({ name: 'RunnerError' })
    // It may have ruined itself for good; the caller gets an error in time, and the host goes on.
    const next = await runner.decide().catch((error) => error)
    if (next instanceof Error) expect(next).toMatchObject({ name: 'RunnerError' })
    await runner.host.reload()
    expect(await runner.decide()).toMatchObject({ redirect: true })
  })
})

describe('an answer that is nonsense', () => {
  const REASON = '{"rule":"a","outcome":"pass","message":"b","__proto__":{"needs":1}}'
  const parsed = (json: string) => `return JSON.parse('${json}')`
  const cases: Record<string, string> = {
    number: 'return 7',
    grant: `return { ...${REDIRECTS}, run: true }`,
    memory: `return { ...${REDIRECTS}, run: { executor: 'docker', memoryBytes: -1, cpuMillicores: 1, diskBytes: 1, pids: 1, network: { mode: 'none' } } }`,
    redirect: `return { run: false, redirect: 'yes', reasons: [] }`,
    key: `return { ...${REDIRECTS}, stop: true }`,
    reasons: `return { ...${REDIRECTS}, reasons: Array(33).fill({ rule: 'a', outcome: 'pass', message: 'b' }) }`,
    long: `return { ...${REDIRECTS}, reasons: [{ rule: 'a', outcome: 'pass', message: 'é'.repeat(257) }] }`,
    cycle: 'const a = {}; a.a = a; return a',
    big: 'return { run: 1n }',
    function: 'return () => {}',
    later: `return Promise.resolve('yes')`,
    proto: parsed('{"__proto__":{"run":false},"run":false,"redirect":true,"reasons":[]}'),
    deep: parsed(`{"run":false,"redirect":true,"reasons":[${REASON}]}`),
    inherited: `return Object.create(${REDIRECTS})`,
    getter: `return { ...${REDIRECTS}, get run() { throw new Error('gotcha') } }`,
    json: `return { toJSON() { throw new Error('gotcha') } }`,
    text: `return { toJSON: () => 'run' }`,
    proxy: `return new Proxy({}, { ownKeys() { throw new Error('gotcha') } })`,
    many: `return { ...${REDIRECTS}, park: Array(17).fill({ on: 'capacity' }) }`,
    evict: `return { ...${REDIRECTS}, evict: Array(65).fill('x') }`,
    rank: `return { ...${REDIRECTS}, rank: 'high' }`,
    revived: `return { ...${REDIRECTS}, rank: NaN, redirect: undefined }`,
  }

  it('is no verdict: each kind is named, and nothing changes in the node', async () => {
    await using runner = await startedRunner(byName(cases))
    for (const name of Object.keys(cases)) {
      const error = await runner.fails({ name })
      expect(error, name).toMatchObject({ kind: 'nonsense' })
      expect(error.message, name).toMatch(/^the runner answered nonsense: ./)
      if (name === 'memory') expect(error.message).toContain('run.memoryBytes: must be a whole number, at least 1')
    }
    expect(({} as { needs?: unknown; run?: unknown }).run).toBeUndefined()
    expect(runner.host.stats()).toMatchObject({ died: 0, failed: Object.keys(cases).length })
  })

  it('counts as what it is as JSON', async () => {
    const twice = `return { then(ok, no) { ok(${REDIRECTS}); ok(7); no(new Error('x')) } }`
    const nested = `return { then(ok) { ok(Promise.resolve(${REDIRECTS})) } }`
    const shown = `return { toJSON: () => (${REDIRECTS}) }`
    const quoted = `return { run: false, redirect: true, reasons: [{ rule: 'a\\u202e', outcome: 'fail', message: '\\u001b[2Jboo' }] }`
    await using runner = await startedRunner(byName({ twice, nested, shown, quoted }), { limits: SHORT })
    for (const name of ['twice', 'nested', 'shown'])
      expect(await runner.decide({ name }), name).toMatchObject({ redirect: true })
    const { reasons } = await runner.decide({ name: 'quoted' })
    expect(reasons).toEqual([{ rule: 'a\ufffd', outcome: 'fail', message: '\ufffd[2Jboo' }])
    expect(runner.host.stats()).toMatchObject({ decided: 4, failed: 0 })
  })
})

describe('a verdict that gives what is not there to give', () => {
  const GRANT = `{ executor: 'docker', memoryBytes: 1024, cpuMillicores: 10, diskBytes: 0, pids: 1, network: { mode: 'none' } }`
  const runs = (grant: string, more = '') =>
    `return { run: { ...${GRANT}, ${grant} }, redirect: false, reasons: [{ rule: 'a', outcome: 'pass', message: 'b' }], ${more} }`
  const running = (id: string, own: boolean, memory = 0) =>
    ({ id, author: STRANGER, name: id, rank: 0, own, executor: 'docker', memory, disk: 0, cpu: 0, pids: 0 }) as const
  const NETCAP = { MODE: 'allowlist', ALLOW: ['a.example:443', '*.b.example:443'], RATE_KBPS: 100 }
  const LIMITS = { ...SAMPLE.LIMITS, SERVICE: { MEMORY: '128MiB', TIMEOUT: 60 }, EVICT: true }
  const config = configOf({ NETCAP, LIMITS })
  const time = 'timeoutSeconds: 60'
  const list = (target: string, rate = ', rateKbps: 1') =>
    runs(`network: { mode: 'allowlist', allow: ['${target}']${rate} }, ${time}`)
  const cases: [code: string, words: RegExp][] = [
    [runs(`memoryBytes: ${128 * MIB + 1}, ${time}`), /run\.memoryBytes: is .*, and LIMITS\.SERVICE\.MEMORY allows 128/],
    [runs(`cpuMillicores: 501, ${time}`), /run\.cpuMillicores: is 501, and 500 is free/],
    [runs('timeoutSeconds: 61'), /run\.timeoutSeconds: must be at most 60/],
    [runs(''), /run\.timeoutSeconds: must be at most 60/],
    [runs(`executor: 'host', ${time}`), /run\.executor: host takes the node's own services only/],
    [runs(`network: { mode: 'open', rateKbps: 1 }, ${time}`), /run\.network\.mode: is "open", and NETCAP\.MODE is "al/],
    [list('evilb.example:443'), /evilb\.example:443 is not in NETCAP\.ALLOW/],
    [list('a.example:44'), /a\.example:44 is not in/],
    [list('a.example:443', ''), /rateKbps: must be at most 100/],
    [
      runs(time, `evict: ['nobody']`),
      /evict: no service nobody runs here; only ids that "running" of the snapshot holds/,
    ],
    [runs(time, `evict: ['mine']`), /evict: mine is the operator's own/],
    [`return { ...${REDIRECTS}, evict: ['theirs'] }`, /evict: only a verdict that runs the service ends others/],
  ]
  const base = snapshotOf(config)
  const executors: readonly AvailableExecutor[] = [
    { name: 'docker', networks: ['allowlist', 'open'] },
    { name: 'host', ownOnly: true },
  ]
  const having = (capacity: Partial<RunnerSnapshot['capacity']>, more: Partial<RunnerSnapshot> = {}) => ({
    ...{ ...base, running: [running('mine', true), running('theirs', false)], ...more },
    capacity: { ...base.capacity, cpuMillicores: 500, executors, ...capacity },
  })

  it('is no verdict: not run, not redirected, and one sentence says where', async () => {
    const codes = byName(Object.fromEntries(cases.map(([code], index) => [`case-${index}`, code])))
    await using runner = await startedRunner(codes, { config })
    for (const [index, [code, words]] of cases.entries()) {
      const error = await runner.fails({ name: `case-${index}`, author: STRANGER }, having({}))
      expect(error, code).toMatchObject({ name: 'RunnerError', kind: 'overreach' })
      expect(error.message, code).toMatch(/^the runner gave what it may not: /)
      expect(error.message, code).toMatch(words)
      expect(error.message, code).not.toContain('\n')
    }
    expect(runner.host.stats()).toMatchObject({ decided: 0, failed: cases.length, died: 0 })
  })

  it('what is within all of it passes, also network and the capacity that evicted ones free', async () => {
    const network = `network: { mode: 'allowlist', allow: ['a.example:443', 'x.y.b.example:443'], rateKbps: 100 }`
    const codes = {
      net: runs(`${network}, ${time}`),
      evicting: runs(`memoryBytes: ${64 * MIB}, ${time}`, `evict: ['theirs']`),
      full: runs(time),
    }
    await using runner = await startedRunner(byName(codes), { config })
    const of = (name: string) => ({ name, author: STRANGER })
    expect((await runner.decide(of('net'), having({}))).run).toMatchObject({ network: { mode: 'allowlist' } })
    const full = having({ memoryBytes: 0, runs: 0 }, { running: [running('theirs', false, 64 * MIB)] })
    expect(await runner.decide(of('evicting'), full)).toMatchObject({
      run: { memoryBytes: 64 * MIB },
      evict: ['theirs'],
    })
    const never = { ...full, config: configOf({ LIMITS: { ...LIMITS, EVICT: false } }) }
    const here = { memoryBytes: 0, cpuMillicores: 500, diskBytes: 1024 * MIB }
    for (const [name, node, words] of [
      ['full', full, /./],
      ['net', having({ executors: [] }), /run\.executor: docker is not there now/],
      [
        'net',
        having({ here }),
        /run\.memoryBytes: is .*, and 0 B is free on the node's own machine, where docker runs it$/,
      ],
      ['evicting', never, /evict: LIMITS\.EVICT is false/],
      ['net', having({ executors: [{ name: 'docker' }] }), /docker executor grants no network of mode "allowlist"/],
    ] as const) {
      const message = expect.stringMatching(words)
      expect(await runner.fails(of(name), node)).toMatchObject({ kind: 'overreach', message })
    }
  })
})
