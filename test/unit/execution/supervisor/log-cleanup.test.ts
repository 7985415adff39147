import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { GRANT, serviceOf, useBench } from '../../../fixtures/execution/supervisor-harness.ts'

describe('logs of what has ended', () => {
  const bench = useBench()

  const folder = (service: string) => join(bench.dir, 'logs', service)
  const fill = async (service: string) => {
    await mkdir(folder(service), { recursive: true })
    await writeFile(join(folder(service), 'run.log'), 'x'.repeat(100_000))
  }

  it('are removed while the node runs, the oldest first, and never those of what runs', async () => {
    const supervisor = bench.start({ logs: { maxBytes: 1000, keep: 1, retainSeconds: 3600, totalBytes: 250_000 } })
    await supervisor.boot()
    for (const id of ['runs', 'first', 'second']) {
      supervisor.run(serviceOf(id), GRANT)
      await bench.reaches(id, 'running')
      await fill(id)
      if (id !== 'runs') await supervisor.stop(id, { why: 'enough' })
      await bench.clock.advance(1000)
    }
    await bench.clock.advance(60_000)
    await bench.until(() => !existsSync(folder('first')))
    expect([existsSync(folder('runs')), existsSync(folder('second'))]).toEqual([true, true])
    await bench.clock.advance(3600_000)
    // one sweep at a time: the clock went faster than the disk
    for (let n = 0; n < 100 && existsSync(folder('second')); n++) {
      await bench.clock.advance(60_000)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    expect(existsSync(folder('second'))).toBe(false)
    expect(existsSync(folder('runs'))).toBe(true)
  })
})
