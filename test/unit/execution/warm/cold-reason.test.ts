import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { Plan } from '../../../../src/execution/index.ts'
import { neverWarm, warmProgramOf } from '../../../../src/execution/warm/cold-reason.ts'
import { grantOf } from '../../../fixtures/execution/run-fixture.ts'
import { tempDir } from '../../../fixtures/temp-dir.ts'

const base: Plan = {
  ...{ runId: 'r', service: 's', author: 'a', purpose: 'run', grant: grantOf('host'), env: {}, workdir: '', ports: [] },
  ...{ command: ['node', 'main.js'], toolchain: ['node.js'], logDir: '/nowhere' },
}

it.each<[Partial<Plan>, object]>([
  [{}, { args: ['main.js'], env: {}, cwd: '/code' }],
  [{ command: ['node', 'a.mjs', '--x', '-'] }, { args: ['a.mjs', '--x', '-'], env: {}, cwd: '/code' }],
  [
    { workdir: 'sub', env: { HOME: '/tmp', NODES: '3' } },
    { cwd: '/code/sub', env: { HOME: '/tmp', NODES: '3' } },
  ],
])('%j can be in a Node.js that is there already', async (change, program) => {
  const codeDir = await tempDir()
  await mkdir(join(codeDir, 'sub'))
  expect(warmProgramOf({ ...base, codeDir, ...change })).toMatchObject({ program })
})

const command = 'its command is not "node FILE" without options'
const early = (name: string) => `its environment sets ${name}, which counts when Node.js starts`
const names = [
  'NODE_OPTIONS',
  'LD_PRELOAD',
  'UV_THREADPOOL_SIZE',
  'OPENSSL_CONF',
  'SSL_CERT_FILE',
  'TZ',
  'PATH',
  'LC_ALL',
]

it.each<[Partial<Plan>, string]>([
  ...[
    ['node'],
    ['node', ''],
    ['node', '-'],
    ['node', '-e', '1'],
    ['node', 'inspect', 'main.js'],
    ['/usr/bin/node', 'a.js'],
    [],
  ].map((words): [Partial<Plan>, string] => [{ command: words }, command]),
  ...[...names, 'LANG', 'GLIBC_TUNABLES', 'MALLOC_ARENA_MAX', 'ICU_DATA', 'RES_OPTIONS', 'HOSTALIASES'].map(
    (name): [Partial<Plan>, string] => [{ env: { OTHER: '1', [name]: 'x' } }, early(name)],
  ),
  [{ check: ['true'] }, 'it has a check by a command (run.check.command)'],
  [{ workdir: 'nowhere' }, 'its run.workdir is no folder'],
])('%j needs one of its own', async (change, coldReason) => {
  expect(warmProgramOf({ ...base, codeDir: await tempDir(), ...change })).toEqual({ coldReason })
})

it.each<[Partial<Plan>, string | undefined]>([
  [{}, undefined],
  [{ purpose: 'build' }, 'it is a build'],
  [{ grant: grantOf('host', { memoryBytes: 2 ** 20 }) }, 'its memory is less than what waits in a sandbox may take'],
  [{ readOnlyMounts: [{ path: '/etc/hostname', as: '/x' }] }, 'it sees files of this machine'],
  [{ files: { '/x': 'text' } }, 'it sees files of this machine'],
])('%j takes no sandbox that is there already, for a reason', (change, reason) => {
  expect(neverWarm({ ...base, ...change })).toBe(reason)
})
