import { describe, expect, it } from 'vitest'
import { byName, configOf, runnerIn, serviceOf, snapshotOf, YES } from './support.ts'

describe('a module that does what it should', () => {
  it('is loaded in another process and answers', async () => {
    await using runner = runnerIn(byName({}))
    await runner.host.start()
    const verdict = await runner.host.decide(serviceOf(), snapshotOf(runner.config))
    expect(verdict).toMatchObject({ run: false, redirect: true, reasons: [{ rule: 'mine', needs: { field: 'x' } }] })
    expect(runner.host.stats()).toMatchObject({ decided: 1, failed: 0, died: 0 })
    expect(runner.host.stats().pid).not.toBe(process.pid)
    expect(runner.heard.map(({ name }) => name)).toEqual(['runner:loaded'])
  })

  it('gets the snapshot, a log and a signal', async () => {
    const code = `export default async (service, node) => {
      node.log.warn('seen', { name: service.name })
      const { log, signal, ...facts } = node
      return { run: false, redirect: false, reasons: [
        { rule: 'facts', outcome: 'pass', message: JSON.stringify({ depth: facts.depth, own: facts.own, now: facts.now, free: facts.capacity.runs, max: facts.config.DESC_MAX_LEN }) },
        { rule: 'signal', outcome: 'pass', message: String(signal.aborted) },
      ] }
    }`
    await using runner = runnerIn({ 'mine/runner.mjs': code })
    await runner.host.start()
    const snapshot = snapshotOf(runner.config, { depth: 2 })
    const { reasons } = await runner.host.decide(serviceOf(), snapshot)
    const facts = { depth: 2, own: snapshot.own, now: snapshot.now, free: 4, max: 200 }
    expect(JSON.parse(reasons[0]?.message ?? '')).toEqual(facts)
    expect(reasons[1]?.message).toBe('false')
    expect(runner.lines.join()).toContain('runner: seen')
  })

  it('sees all that is known of a service, and may wait for a delegation', async () => {
    const code = `export default (service, node) => {
      const { attestations, quorum, inTree, frozen } = node
      const message = JSON.stringify({ attestations, quorum, inTree, frozen })
      return { run: false, redirect: true, park: [{ on: 'delegation', author: service.author }],
        reasons: [{ rule: 'facts', outcome: 'defer', message }] }
    }`
    await using runner = runnerIn({ 'mine/runner.mjs': code })
    await runner.host.start()
    const severe = { severity: 'high', report: 'https://hub.example/7' } as const
    const known = {
      attestations: [{ hub: 'h', verdict: 'unsafe', issued: 1, expires: 2, ...severe } as const],
      quorum: { hubs: 1, weight: 2, met: false },
      inTree: true,
      frozen: [{ hub: 'h', chain: 'btc', amount: '0.5' }],
    }
    const service = serviceOf()
    const { reasons, park } = await runner.host.decide(service, snapshotOf(runner.config, known))
    expect(JSON.parse(reasons[0]?.message ?? '')).toEqual(known)
    expect(park).toEqual([{ on: 'delegation', author: service.author }])
  })

  it('may have the first form: one argument, globals, and nothing returned means drop', async () => {
    const code = `export default async service => {
      if (typeof service.title === 'string' && service.desc.length < RUNNER_CONFIGS.DESC_MAX_LEN) {
        LOG({ data: \`Received new service \\x1b[31;1m\${service.desc}\\x1b[0m\`, pid: process.pid }, 'CD')
        return ${YES}
      }
    }`
    await using runner = runnerIn({ 'mine/runner.mjs': code })
    await runner.host.start()
    const snapshot = snapshotOf(runner.config)
    expect(await runner.host.decide(serviceOf({ desc: 'x'.repeat(199) }), snapshot)).toMatchObject({ redirect: true })
    const dropped = await runner.host.decide(serviceOf({ desc: 'x'.repeat(200) }), snapshot)
    expect(dropped).toMatchObject({ run: false, redirect: false })
    expect(dropped.reasons).toHaveLength(1)
    expect(runner.lines.join()).toContain('Received new service xxx')
  })

  it('is shared by nodes whose configurations differ', async () => {
    const code = `export default async service => { await null; return { run: false, redirect: RUNNER_CONFIGS.DESC_MAX_LEN > 50, reasons: [] } }`
    await using runner = runnerIn({ 'mine/runner.mjs': code })
    await runner.host.start()
    const configs = [10, 100, 20, 200].map((DESC_MAX_LEN) => configOf({ DESC_MAX_LEN }))
    const verdicts = await Promise.all(configs.map((config) => runner.host.decide(serviceOf(), snapshotOf(config))))
    expect(verdicts.map(({ redirect }) => redirect)).toEqual([false, true, false, true])
  })

  it('keeps more facts apart than it remembers', async () => {
    const code = `export default (service, node) => ({ run: false, redirect: node.capacity.runs === service.seq && node.config.DESC_MAX_LEN === service.seq, reasons: [] })`
    await using runner = runnerIn({ 'mine/runner.mjs': code })
    await runner.host.start()
    const snapshots = Array.from({ length: 150 }, (_, seq) => {
      const snapshot = snapshotOf(configOf({ DESC_MAX_LEN: seq }))
      return { ...snapshot, capacity: { ...snapshot.capacity, runs: seq } }
    })
    const asked = [...snapshots.keys(), ...snapshots.keys()]
    const verdicts = await Promise.all(
      asked.map((seq) => runner.host.decide(serviceOf({ seq }), snapshots[seq] ?? snapshotOf())),
    )
    expect(verdicts.every(({ redirect }) => redirect)).toBe(true)
  })

  it('may be TypeScript, and import the package from any folder', async () => {
    const code = `import andromeda from 'thundercloud/andromeda'
      import type { ReceivedService, RunnerContext, Verdict } from 'thundercloud/runner-kit'
      export default function (service: ReceivedService, node: RunnerContext): Verdict { return andromeda(service, node) }`
    await using runner = runnerIn({ 'mine/runner.ts': code }, {}, 'mine/runner.ts')
    await runner.host.start()
    const { run } = await runner.host.decide(serviceOf(), snapshotOf(runner.config))
    expect(run).toMatchObject({ executor: 'docker', memoryBytes: 64 * 1024 * 1024, network: { mode: 'none' } })
  })

  it('prints into the log of the node, and finds no environment', async () => {
    const code = `console.log('hello\\u001b[2J', Object.keys(process.env).length, process.cwd()); export default () => {}`
    await using runner = runnerIn({ 'mine/runner.mjs': code })
    await runner.host.start()
    await runner.host.decide(serviceOf(), snapshotOf(runner.config))
    expect(runner.lines.join()).toContain('hello\ufffd[2J 0 /')
  })
})
