import { existsSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import { silentLog } from '../../../src/base/log.ts'
import { createHostExecutor, type Executor } from '../../../src/execution/index.ts'
import { makeRunDirs, type PlanChange, planFor, type RunDirs, runToEnd } from '../../fixtures/execution/run-fixture.ts'
import { needs } from '../../require.ts'

describe.skipIf(!needs('bubblewrap'))('a sandbox on the host', () => {
  let dirs: RunDirs & AsyncDisposable
  let executor: Executor
  beforeAll(async () => {
    dirs = await makeRunDirs()
    const logs = { maxBytes: 100_000, keep: 1 }
    const init = { nodeId: `box-${process.pid}`, ownAddress: 'own', runsDir: dirs.runs, runtimeDir: dirs.runtime, logs }
    executor = createHostExecutor({ clock: systemClock(), log: silentLog() }, { ...init, sandbox: 'bubblewrap' })
  })
  afterAll(() => dirs[Symbol.asyncDispose]())

  const run = async (command: string[], change: PlanChange = {}) =>
    runToEnd(executor, await planFor(executor, dirs, '', { command, ...change }))

  it('makes no namespace inside', async () => {
    for (const flag of ['--user', '--net', '--mount']) {
      const { end, err } = await run(['unshare', flag, 'true'])
      expect(end.exitCode).not.toBe(0)
      expect(err.join()).toContain('Operation not permitted')
    }
  })

  it.skipIf(!existsSync('/usr/bin/perl'))('opens no socket that leads around the network namespace', async () => {
    const open = (family: number) => run(['perl', '-e', `socket(S, ${family}, 1, 0) or die "$!"`])
    // AF_VSOCK, AF_PACKET, AF_BLUETOOTH, AF_ALG; and AF_INET, so that the others do not fail for a reason of their own
    for (const family of [40, 17, 31, 38])
      expect((await open(family)).err.join()).toMatch(/not supported|not permitted/)
    expect((await open(2)).end.exitCode).toBe(0)
  })

  it('finds our Node first, then the programs of the machine', async () => {
    const { out } = await run(['sh', '-c', 'command -v node; node --version; ls / | tr "\\n" " "'])
    expect(out.slice(0, 2)).toEqual(['/opt/thundercloud/bin/node', process.version])
    const shown = out[2]?.split(' ') ?? []
    expect(['root', 'home', 'var', 'sys', 'srv', 'boot'].filter((name) => shown.includes(name))).toEqual([])
  })

  it('holds the memory of the whole machine from /dev/shm and /dev', async () => {
    const { out } = await run([
      'sh',
      '-c',
      'head -c 64M /dev/zero > /dev/shm/x; wc -c < /dev/shm/x; (echo > /dev/x) 2>&1 | head -c 1; true',
    ])
    expect(Number(out[0])).toBeLessThanOrEqual(16 * 2 ** 20)
    expect(existsSync('/dev/x')).toBe(false)
  })

  it('ends what is left of a command when the command ends', async () => {
    const { end } = await run(['sh', '-c', 'sleep 300 & exit 4'])
    expect(end).toEqual({ exitCode: 4, reason: 'exit' })
    expect(await executor.adopt()).toEqual([])
  })

  it('is another user for every run, where the node is root', async () => {
    if (process.getuid?.() !== 0) return
    const uids = await Promise.all(Array.from({ length: 4 }, async () => (await run(['id', '-u'])).out[0]))
    expect(new Set(uids).size).toBeGreaterThan(1)
    expect(uids.every((uid) => Number(uid) >= 61184)).toBe(true)
  })
})
