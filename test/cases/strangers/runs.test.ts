import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, readdir, readFile, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { inodesFor } from '../../../src/execution/constants.ts'
import { type HostHandle, hostRun } from '../../../src/execution/host/run.ts'
import type { Executor, Plan } from '../../../src/execution/index.ts'
import { ABSENT_CALLS, DENIED_CALLS, SOCKET_FAMILIES } from '../../../src/execution/seccomp/denials.ts'
import { dockerSeccompProfile } from '../../../src/execution/seccomp/docker-profile.ts'
import { EMPTY_FILES, HOLES, SILENT, UNLINKED } from '../../fixtures/code/hostile-builds.ts'
import { dockerExecutor, EXECUTORS, hostExecutor, NO_BUBBLEWRAP } from '../../fixtures/execution/executors.ts'
import { runDirs } from '../../fixtures/execution/run-dirs.ts'
import { linesOf, MIB, makeRunDirs, planFor, runToEnd, until } from '../../fixtures/execution/run-fixture.ts'
import { isAlive } from '../../fixtures/runner/runners.ts'
import { system } from '../../fixtures/system.ts'
import { needs } from '../../require.ts'

const STUBBORN = `process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)`

describe.each(EXECUTORS.filter(({ need }) => needs(need)))('on $name', ({ create }) => {
  const dirs = runDirs()
  let executor: Executor
  beforeAll(() => {
    executor = create(dirs)
  })

  const build = async (script: string, memoryBytes: number, diskBytes = 8 * MIB) => {
    const plan = await planFor(executor, dirs, script, { purpose: 'build', grant: { diskBytes, memoryBytes } })
    // as the supervisor hands it over
    await chmod(plan.codeDir as string, 0o777)
    return { plan, ...(await runToEnd(executor, plan)) }
  }
  const wroteTooMuchOf = (bytes: number) =>
    `the build wrote more than the ${bytes} bytes or ${inodesFor(bytes)} files of disk that were granted`
  const wroteTooMuch = wroteTooMuchOf(8 * MIB)

  describe('S11: a build writes where the kernel holds bytes and files', () => {
    it('a file that it has unlinked counts', async () => {
      const { end, out } = await build(UNLINKED, 192 * MIB)
      expect(end).toMatchObject({ exitCode: 1, detail: wroteTooMuch })
      expect(Number(out.at(-1))).toBeLessThan(9)
    })

    it('so do files without a byte', async () => {
      const free = async () => (await statfs(dirs.base)).ffree
      const before = await free()
      expect((await build(EMPTY_FILES, 192 * MIB)).end).toMatchObject({ exitCode: 1, detail: wroteTooMuch })
      // other tests write beside this one
      expect(before - (await free())).toBeLessThan(10_000)
    })

    it.each([HOLES, SILENT])('a file of holes, and what it does not speak of: %s', async (script) => {
      expect((await build(script, 192 * MIB)).end).toMatchObject({ exitCode: 1, detail: wroteTooMuch })
    })

    it('what it may write is there afterwards, with links and modes', async () => {
      const script = `const fs = require('fs'); fs.mkdirSync('out'); fs.writeFileSync('out/a', 'made', { mode: 0o755 })
        fs.symlinkSync('a', 'out/b'); fs.rmSync('below', { recursive: true })`
      const { end, plan } = await build(script, 192 * MIB)
      expect(end).toMatchObject({ exitCode: 0 })
      expect(await readFile(join(plan.codeDir as string, 'out/b'), 'utf8')).toBe('made')
      await expect(readFile(join(plan.codeDir as string, 'below/here.txt'))).rejects.toThrow('ENOENT')
    })

    it('its temporary files lie there too, and are no part of what it made', async () => {
      const script = `const fs = require('fs'); const os = require('os')
        for (const dir of [os.tmpdir(), os.homedir()]) fs.writeFileSync(dir + '/large', Buffer.alloc(20 << 20))
        fs.writeFileSync('made', os.tmpdir())`
      const { end, plan } = await build(script, 192 * MIB, 64 * MIB)
      expect(end).toMatchObject({ exitCode: 0 })
      expect(await readFile(join(plan.codeDir as string, 'made'), 'utf8')).toBe('/tmp')
      expect((await readdir(plan.codeDir as string)).sort()).toEqual(['below', 'made', 'main.js'])
      // each would fit alone
      expect((await build(script, 192 * MIB, 32 * MIB)).end.detail).toBe(wroteTooMuchOf(32 * MIB))
    })

    it.each([
      ['another file system is full', `fs.writeFileSync('/dev/shm/large', Buffer.alloc(80 << 20))`],
      ['it says so', `console.error('ENOSPC: no space left on device'); process.exit(1)`],
    ])('is not blamed where %s', async (_, script) => {
      const { end, err } = await build(`const fs = require('fs'); ${script}`, 192 * MIB)
      expect(err.join('\n')).toContain('ENOSPC: no space left on device')
      expect(end).toMatchObject({ exitCode: 1, reason: 'exit' })
      expect(end.detail).toBeUndefined()
    })

    it('code that does not fit is named as such', async () => {
      const plan = await planFor(executor, dirs, '', { purpose: 'build', grant: { diskBytes: 8 * MIB } })
      await writeFile(join(plan.codeDir as string, 'large'), Buffer.alloc(9 * MIB))
      await chmod(plan.codeDir as string, 0o777)
      const detail = `the code does not fit into the ${8 * MIB} bytes or 16384 files of disk that its build was granted`
      const ended = runToEnd(executor, plan).then(
        ({ end }) => ({ exitCode: end.exitCode, detail: end.detail }),
        (error: Error) => ({ exitCode: 1, detail: error.message }),
      )
      expect(await ended).toEqual({ exitCode: 1, detail })
      await executor.remove(executor.handle(plan))
    })

    it.skipIf(!needs('root'))('holds on a disk as it does in memory', async () => {
      const script = `const fs = require('fs'); console.log(fs.statfsSync('.').type.toString(16))
        fs.writeFileSync('large', Buffer.alloc(100 << 20)); fs.writeFileSync('larger', Buffer.alloc(60 << 20))`
      const { end, out } = await build(script, 128 * MIB, 128 * MIB)
      // ext4, unless this machine has no loop device
      expect(['ef53', '1021994']).toContain(out[0])
      expect(end.exitCode).not.toBe(0)
      if (out[0] === 'ef53') expect(end.detail).toMatch(/^the build wrote more than the 134217728 bytes/)
    })
  })

  it.each<[string, () => Plan['lifetime']]>([
    ['a time limit', () => ({ afterMs: 3000, graceMs: 500 })],
    ['the expiry of the service', () => ({ expiresAt: system.clock.now() + 3000, graceMs: 500 })],
  ])('S13: %s holds where no node is there, and what comes back finds it', async (what, lifetime) => {
    const plan = await planFor(executor, dirs, STUBBORN, { lifetime: lifetime() })
    await executor.start(plan)
    // nothing waits for it, stops it or asks about it: the node that started it is gone
    const ended = async () => (await executor.adopt()).find(({ runId }) => runId === plan.runId)
    await expect.poll(async () => (await ended())?.state, { timeout: 45_000, interval: 500 }).toBe('ended')
    if (what === 'a time limit') expect(await (await ended())?.run.wait()).toMatchObject({ reason: 'timeout' })
    await executor.remove(executor.handle(plan))
  })
})

const COMPILER = '/usr/bin/gcc'
const SOURCE = fileURLToPath(new URL('../../fixtures/execution/system-calls.c', import.meta.url))

type Profile = {
  defaultAction: string
  syscalls: { names: string[]; action: string; errnoRet?: number; args?: { value: number }[] }[]
}

describe('S12: system calls of a run in Docker', () => {
  it('what the host refuses is refused in a container too', () => {
    const profile = JSON.parse(dockerSeccompProfile()) as Profile
    const allowed = (name: string) =>
      profile.syscalls.filter(({ names, action }) => action === 'SCMP_ACT_ALLOW' && names.includes(name))
    expect(profile.defaultAction).toBe('SCMP_ACT_ERRNO')
    for (const name of [...Object.keys(DENIED_CALLS), ...Object.keys(ABSENT_CALLS)]) {
      expect([name, allowed(name)]).toEqual([name, []])
    }
    expect(profile.syscalls.find(({ errnoRet }) => errnoRet === 38)?.names).toEqual(Object.keys(ABSENT_CALLS))
    expect(allowed('socket').flatMap(({ args = [] }) => args.map(({ value }) => value))).toEqual(SOCKET_FAMILIES)
  })

  it.skipIf(!needs('engine') || process.arch !== 'x64' || !existsSync(COMPILER))(
    'a service gets no io_uring, aio, vsock, keys or namespaces',
    async () => {
      await using dirs = await makeRunDirs()
      await using executor = dockerExecutor(dirs)
      const plan = await planFor(executor, dirs, '')
      execFileSync(COMPILER, ['-static', '-o', join(plan.codeDir ?? '', 'calls'), SOURCE])
      const { out } = await runToEnd(executor, { ...plan, command: ['/code/calls'] })
      const [EPERM, ENOSYS] = [1, 38]
      expect(Object.fromEntries(out.map((line) => [line.split(' ')[0], Number(line.split(' ')[1])]))).toEqual({
        ...{ io_uring_setup: ENOSYS, io_setup: ENOSYS, clone3: ENOSYS },
        ...{ vsock: EPERM, packet: EPERM, unshare: EPERM, keyctl: EPERM, bpf: EPERM, userfaultfd: EPERM, inet: 0 },
      })
    },
  )
})

describe.skipIf(!needs('engine') || !needs('root'))('S15: kernel tables of a user, in Docker', () => {
  const inotify = `
    const { watch } = require('fs'); let held = 0
    try { for (;;) { watch('/code'); held++ } } catch (error) { console.log(held, error.code, process.getuid()) }
    setInterval(() => {}, 1000)`

  it('what one run uses up, another still has', async () => {
    await using dirs = await makeRunDirs()
    await using executor = dockerExecutor(dirs)
    const greedy = await executor.start(await planFor(executor, dirs, inotify, { uid: 2_000_000_001 }))
    const watches = `require('fs').watch('/code'); console.log('watches', process.getuid(), require('os').userInfo().username); process.exit(0)`
    const other = await planFor(executor, dirs, watches, { uid: 2_000_000_002 })
    expect((await runToEnd(executor, other)).out).toEqual(['watches 2000000002 service'])
    await executor.remove(greedy.handle)
  })

  it('a service cannot stop the clock of its gateway', async () => {
    await using dirs = await makeRunDirs()
    await using executor = dockerExecutor(dirs)
    const script = `const { readdirSync } = require('fs')
      for (const pid of readdirSync('/proc').filter(name => /^\\d+$/.test(name) && Number(name) !== process.pid)) {
        try { process.kill(Number(pid), 'SIGSTOP'); console.log('stopped', pid) } catch {}
      }
      console.log('tried'); process.exit(0)`
    const plan = await planFor(executor, dirs, script, { uid: 2_000_000_003 })
    expect((await runToEnd(executor, plan)).out).toEqual(['tried'])
  })
})

const hasty = {
  ...system.clock,
  after: (ms: number, callback: () => void) => system.clock.after(ms / 100, callback),
}

it('S17: a run under the permission model has its environment for itself, and ends when it is stopped, also where it holds its own shim', async () => {
  await using dirs = await makeRunDirs()
  const executor = hostExecutor(dirs, NO_BUBBLEWRAP)
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
    await hostRun(run.handle as HostHandle, run.startedAt, hasty).stop({ graceMs: 0 })
    await until(async () => !isAlive(own) && !isAlive(shim))
  })
  expect(end.exitCode).toBe(137)
})
