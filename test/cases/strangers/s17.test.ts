import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import { silentLog } from '../../../src/base/log.ts'
import { type HostHandle, hostRun } from '../../../src/execution/host/run.ts'
import { createHostExecutor } from '../../../src/execution/index.ts'
import { linesOf, makeRunDirs, planFor, runToEnd, until } from '../../fixtures/execution/run-fixture.ts'

/** A clock that has no patience. */
function hasty() {
  const clock = systemClock()
  return { ...clock, after: (ms: number, callback: () => void) => clock.after(ms / 100, callback) }
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

describe('S17: a run under the permission model', () => {
  it('has its environment for itself, and ends when it is stopped, also where it holds its own shim', async () => {
    await using dirs = await makeRunDirs()
    const components = { clock: systemClock(), log: silentLog() }
    const executor = createHostExecutor(components, {
      ...{ nodeId: `held-${process.pid}`, ownAddress: 'own', runsDir: dirs.runs, runtimeDir: dirs.runtime },
      ...{ logs: { maxBytes: 1e6, keep: 1 }, bubblewrap: '/nowhere/bwrap' },
    })
    const script = `process.on('SIGTERM', () => {}); console.log(process.pid, process.ppid, process.env.SAID)
      process.on('SIGUSR2', () => process.kill(process.ppid, 'SIGSTOP')); setInterval(() => {}, 1000)`
    const plan = await planFor(executor, dirs, script, { author: 'own', env: { SAID: 'privately' } })
    const { end } = await runToEnd(executor, plan, async (run) => {
      const line = await until(async () => (await linesOf(plan.logDir)).out[0])
      expect(line).toMatch(/ privately$/)
      const [own = 0, shim = 0] = line.split(' ').map(Number)
      // every user of the machine can read a command line
      const [setting = ''] = /data:[^\0]*/.exec(await readFile(`/proc/${own}/cmdline`, 'utf8')) ?? []
      expect(await (await fetch(setting)).text()).not.toContain('privately')
      process.kill(own, 'SIGUSR2')
      await until(async () => / T /.test(await readFile(`/proc/${shim}/stat`, 'utf8')))
      await hostRun(run.handle as HostHandle, run.startedAt, hasty()).stop({ graceMs: 0 })
      await until(async () => !lives(own) && !lives(shim))
    })
    expect(end.exitCode).toBe(137)
  })
})
