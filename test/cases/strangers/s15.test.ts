import { describe, expect, it } from 'vitest'
import { dockerExecutor } from '../../fixtures/execution/docker-executor.ts'
import { makeRunDirs, planFor, runToEnd } from '../../fixtures/execution/run-fixture.ts'
import { needs } from '../../require.ts'

/** Takes what the kernel has for one user, and says how many it got. */
const INOTIFY = `
const { watch } = require('fs'); let held = 0
try { for (;;) { watch('/code'); held++ } } catch (error) { console.log(held, error.code, process.getuid()) }
setInterval(() => {}, 1000)`

describe.skipIf(!needs('engine') || !needs('root'))('S15: kernel tables of a user, in Docker', () => {
  it('what one run uses up, another still has', async () => {
    await using dirs = await makeRunDirs()
    await using executor = dockerExecutor(dirs)
    const greedy = await executor.start(await planFor(executor, dirs, INOTIFY, { uid: 2_000_000_001 }))
    const other = await planFor(
      executor,
      dirs,
      `require('fs').watch('/code'); console.log('watches', process.getuid(), require('os').userInfo().username); process.exit(0)`,
      { uid: 2_000_000_002 },
    )
    expect((await runToEnd(executor, other)).out).toEqual(['watches 2000000002 service'])
    await executor.remove(greedy.handle)
  })

  it('a service cannot stop the clock of its gateway', async () => {
    await using dirs = await makeRunDirs()
    await using executor = dockerExecutor(dirs)
    const plan = await planFor(
      executor,
      dirs,
      `const { readdirSync } = require('fs')
       for (const pid of readdirSync('/proc').filter(name => /^\\d+$/.test(name) && Number(name) !== process.pid)) {
         try { process.kill(Number(pid), 'SIGSTOP'); console.log('stopped', pid) } catch {}
       }
       console.log('tried'); process.exit(0)`,
      { uid: 2_000_000_003 },
    )
    expect((await runToEnd(executor, plan)).out).toEqual(['tried'])
  })
})
