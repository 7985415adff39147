import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { GRANT, serviceOf, useBench } from '../../../fixtures/execution/supervisor-harness.ts'

describe('a run that has filled a disk', () => {
  const bench = useBench()

  /** What is said of a run whose last line says that a disk is full. */
  async function saidBy(isExclusive: () => Promise<boolean>, wait = async () => {}) {
    bench.engine.onStart = async ({ logDir }) => {
      await mkdir(logDir, { recursive: true })
      await writeFile(join(logDir, 'run.log'), '1700000000000 e Error: ENOSPC: no space left on device, write\n')
    }
    const executor = { ...bench.createExecutor(), isExclusive }
    const supervisor = bench.start({}, { executors: [executor] })
    supervisor.run(serviceOf('a', { restart: 'never' }), GRANT)
    await bench.reaches('a', 'running')
    bench.end('a', 1)
    await wait()
    await bench.reaches('a', 'failed')
    return bench.record('a')?.detail
  }

  it('is told of its own disk, and of that of its pool where that keeps data', async () => {
    expect(await saidBy(async () => true)).toMatch(/resources\.disk.*the pool's data in \/data/)
  })

  it('is told of its own disk alone where nothing is kept', async () => {
    expect(await saidBy(async () => false)).toMatch(/full: ask for more in resources\.disk/)
  })

  it('ends all the same where the engine does not say what is kept', async () => {
    let asked = 0
    const silent = () => (asked++ === 0 ? Promise.resolve(false) : new Promise<boolean>(() => {}))
    const later = async () => {
      await bench.until(() => asked === 2)
      await bench.clock.advance(3000)
    }
    expect(await saidBy(silent, later)).toMatch(/full: ask for more in resources\.disk/)
  })
})
