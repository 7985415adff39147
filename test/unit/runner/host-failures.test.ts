import { describe, expect, it } from 'vitest'
import { byName, failureOf, isAlive, runnerIn, SHORT, serviceOf, snapshotOf, YES } from './support.ts'

describe('a module that fails at one service', () => {
  it('by throwing: that one alone fails, with what was thrown', async () => {
    await using runner = runnerIn(byName({ bad: 'null.x' }))
    await runner.host.start()
    const snapshot = snapshotOf(runner.config)
    const error = await failureOf(runner.host.decide(serviceOf({ name: 'bad' }), snapshot))
    expect(error).toMatchObject({ name: 'RunnerError', kind: 'threw' })
    expect(error.message).toMatch(/^the runner threw TypeError: Cannot read .*\(runner\.mjs:2\)$/)
    expect(await runner.host.decide(serviceOf(), snapshot)).toMatchObject({ redirect: true })
    expect(runner.heard.filter(({ name }) => name === 'runner:failed')).toHaveLength(1)
  })

  it('by answering nonsense: each kind is named', async () => {
    const answers = {
      number: 'return 7',
      grant: `return { ...${YES}, run: true }`,
      memory: `return { ...${YES}, run: { executor: 'docker', memoryBytes: -1, cpuMillicores: 1, diskBytes: 1, pids: 1, network: { mode: 'none' } } }`,
      redirect: `return { run: false, redirect: 'yes', reasons: [] }`,
      key: `return { ...${YES}, stop: true }`,
      reasons: `return { ...${YES}, reasons: Array(33).fill({ rule: 'a', outcome: 'pass', message: 'b' }) }`,
      long: `return { ...${YES}, reasons: [{ rule: 'a', outcome: 'pass', message: 'é'.repeat(257) }] }`,
      cycle: 'const a = {}; a.a = a; return a',
      big: 'return { run: 1n }',
      function: 'return () => {}',
      later: `return Promise.resolve('yes')`,
    }
    await using runner = runnerIn(byName(answers))
    await runner.host.start()
    const snapshot = snapshotOf(runner.config)
    for (const name of Object.keys(answers)) {
      const error = await failureOf(runner.host.decide(serviceOf({ name }), snapshot))
      expect(error, name).toMatchObject({ kind: 'nonsense' })
      expect(error.message, name).toMatch(/^the runner answered nonsense: ./)
    }
    const memory = await failureOf(runner.host.decide(serviceOf({ name: 'memory' }), snapshot))
    expect(memory.message).toContain('run.memoryBytes: must be a whole number, at least 1')
    expect(runner.host.stats().died).toBe(0)
  })

  it('by hanging: the host ends it, and the others are answered by the next process', async () => {
    await using runner = runnerIn(byName({ hang: 'for (;;);' }), { limits: SHORT })
    await runner.host.start()
    const snapshot = snapshotOf(runner.config)
    const first = runner.host.stats().pid
    const names = Array.from({ length: 300 }, (_, index) => (index === 37 || index === 120 ? 'hang' : 'fine'))
    const outcomes = await Promise.allSettled(names.map((name) => runner.host.decide(serviceOf({ name }), snapshot)))
    for (const [index, outcome] of outcomes.entries()) {
      if (names[index] === 'fine') expect(outcome, String(index)).toMatchObject({ status: 'fulfilled' })
      else expect(outcome).toMatchObject({ status: 'rejected', reason: { kind: 'timeout' } })
    }
    expect(runner.host.stats()).toMatchObject({ died: 2, decided: 298, failed: 2 })
    expect(isAlive(first)).toBe(false)
  })

  it('by hanging, and the next process takes longer to load than a decision may: the others wait for it', async () => {
    const code = `await new Promise(resolve => setTimeout(resolve, 1500))
      export default service => {
        if (service.name === 'hang') for (;;);
        return ${YES}
      }`
    await using runner = runnerIn({ 'mine/runner.mjs': code }, { limits: { timeoutMs: 300 } })
    await runner.host.start()
    const snapshot = snapshotOf(runner.config)
    const outcomes = await Promise.allSettled(
      ['a', 'hang', 'b', 'c'].map((name) => runner.host.decide(serviceOf({ name }), snapshot)),
    )
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled'])
  })

  it('by hanging after an await: suspects are asked alone, only the culprit fails', async () => {
    const code = `export default async service => {
      await new Promise(resolve => setTimeout(resolve, 20))
      if (service.name === 'hang') for (;;);
      return ${YES}
    }`
    await using runner = runnerIn({ 'mine/runner.mjs': code }, { limits: SHORT })
    await runner.host.start()
    const snapshot = snapshotOf(runner.config)
    const names = ['a', 'b', 'hang', 'c']
    const outcomes = await Promise.allSettled(names.map((name) => runner.host.decide(serviceOf({ name }), snapshot)))
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled'])
    expect(outcomes[2]).toMatchObject({ reason: { kind: 'timeout' } })
  })

  it('by never settling: that one fails in time, its signal aborts, the process lives', async () => {
    const code = `let aborted = 0
      export default async (service, { signal }) => {
        if (service.name === 'never') {
          signal.addEventListener('abort', () => aborted++)
          await new Promise(() => {})
        }
        return { run: false, redirect: false, reasons: [{ rule: 'a', outcome: 'pass', message: String(aborted) }] }
      }`
    await using runner = runnerIn({ 'mine/runner.mjs': code }, { limits: SHORT })
    await runner.host.start()
    const snapshot = snapshotOf(runner.config)
    const never = runner.host.decide(serviceOf({ name: 'never' }), snapshot)
    const other = runner.host.decide(serviceOf(), snapshot)
    expect((await other).reasons[0]?.message).toBe('0')
    expect(await failureOf(never)).toMatchObject({ kind: 'timeout' })
    expect((await runner.host.decide(serviceOf(), snapshot)).reasons[0]?.message).toBe('1')
    expect(runner.host.stats().died).toBe(0)
  })

  it.each([
    ['process.exit', 'process.exit(0)', 'died'],
    ['an exception outside of the call', 'queueMicrotask(() => { throw new Error("later") }); return', 'died'],
    ['abort', 'process.abort()', 'died'],
  ])('by ending the process (%s): others are answered by the next one', async (_name, code, kind) => {
    await using runner = runnerIn(byName({ bad: code }), { limits: SHORT })
    await runner.host.start()
    const snapshot = snapshotOf(runner.config)
    const [before, bad, after] = await Promise.allSettled(
      ['a', 'bad', 'b'].map((name) => runner.host.decide(serviceOf({ name }), snapshot)),
    )
    expect(before).toMatchObject({ status: 'fulfilled' })
    // An exception from elsewhere can come after the answer: then nobody is to blame.
    if (bad?.status === 'rejected') expect(bad.reason).toMatchObject({ kind })
    expect(after).toMatchObject({ status: 'fulfilled' })
    await runner.host.decide(serviceOf(), snapshot)
    expect(runner.host.stats().died).toBeGreaterThan(0)
  })

  it.each([
    ['the heap', 'const all = new Map(); for (let i = 0; ; i++) all.set(i, [i, i + 0.5])'],
    ['buffers', 'const all = []; for (;;) all.push(Buffer.alloc(1 << 20, 1))'],
  ])('by taking memory without end (%s): the node keeps its own', async (_name, code) => {
    await using runner = runnerIn(byName({ grow: code }), { limits: { timeoutMs: 20_000, heapMb: 64 } })
    await runner.host.start()
    const before = process.memoryUsage().rss
    const snapshot = snapshotOf(runner.config)
    const error = await failureOf(runner.host.decide(serviceOf({ name: 'grow' }), snapshot))
    expect(error).toMatchObject({ kind: 'memory' })
    expect(await runner.host.decide(serviceOf(), snapshot)).toMatchObject({ redirect: true })
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * 1024 * 1024)
  })

  it('by writing into its pipe: it is ended, nobody else pays', async () => {
    const lie = `fs.writeSync(4, '{"id":99999,"verdict":null}\\n')`
    const files = byName({ lie: lie, noise: `fs.writeSync(4, 'hello\\n')` })
    const code = `import fs from 'node:fs'\n${files['mine/runner.mjs']}`
    await using runner = runnerIn({ 'mine/runner.mjs': code }, { limits: SHORT })
    await runner.host.start()
    const snapshot = snapshotOf(runner.config)
    for (const name of ['lie', 'noise']) {
      const [bad, good] = await Promise.allSettled(
        [name, 'fine'].map((other) => runner.host.decide(serviceOf({ name: other }), snapshot)),
      )
      expect(good).toMatchObject({ status: 'fulfilled' })
      expect(bad?.status === 'fulfilled' || bad?.reason.kind === 'nonsense').toBe(true)
    }
  })
})
