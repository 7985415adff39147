import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { ABSENT_CALLS, DENIED_CALLS, SOCKET_FAMILIES } from '../../../src/execution/seccomp/denials.ts'
import { dockerSeccompProfile } from '../../../src/execution/seccomp/docker-profile.ts'
import { dockerExecutor } from '../../fixtures/execution/docker-executor.ts'
import { makeRunDirs, planFor, runToEnd } from '../../fixtures/execution/run-fixture.ts'
import { needs } from '../../require.ts'

const COMPILER = '/usr/bin/gcc'
const SOURCE = fileURLToPath(new URL('../../fixtures/execution/system-calls.c', import.meta.url))

type Profile = {
  defaultAction: string
  syscalls: { names: string[]; action: string; errnoRet?: number; args?: { value: number }[] }[]
}

describe('S12: system calls of a run in Docker', () => {
  const profile = JSON.parse(dockerSeccompProfile()) as Profile
  const allowed = (name: string) =>
    profile.syscalls.filter(({ names, action }) => action === 'SCMP_ACT_ALLOW' && names.includes(name))

  it('what the host refuses is refused in a container too', () => {
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
      const program = join(plan.codeDir ?? '', 'calls')
      execFileSync(COMPILER, ['-static', '-o', program, SOURCE])
      const { out } = await runToEnd(executor, { ...plan, command: ['/code/calls'] })
      const [EPERM, ENOSYS] = [1, 38]
      expect(Object.fromEntries(out.map((line) => [line.split(' ')[0], Number(line.split(' ')[1])]))).toEqual({
        io_uring_setup: ENOSYS,
        io_setup: ENOSYS,
        clone3: ENOSYS,
        vsock: EPERM,
        packet: EPERM,
        unshare: EPERM,
        keyctl: EPERM,
        bpf: EPERM,
        userfaultfd: EPERM,
        inet: 0,
      })
    },
  )
})
