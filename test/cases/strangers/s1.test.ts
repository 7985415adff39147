import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { hostileShell } from '../../fixtures/process/hostile-shell.ts'
import { needs } from '../../require.ts'

/** whoever may open it may use the engine */
const SOCKET = '/var/run/docker.sock'
const SCRIPT = fileURLToPath(new URL('../../fixtures/execution/jail-run.ts', import.meta.url))
const USERS = [
  { name: 'root', uid: 0 },
  { name: 'an ordinary user', uid: 1000 },
]

function probe(uid: number, mode: 'sandbox' | 'permission' | 'docker', gid = uid) {
  const args = ['--conditions=thundercloud-source', SCRIPT, mode]
  const { stdout, stderr } = spawnSync('/bin/bash', hostileShell(process.execPath, args), {
    uid,
    gid,
    encoding: 'utf8',
    env: { PATH: process.env.PATH ?? '', HOME: '/tmp' },
  })
  expect(stdout, stderr).toMatch(/^\{/m)
  return JSON.parse(stdout.slice(stdout.indexOf('{')))
}

describe.skipIf(!needs('root') || !needs('bubblewrap')).each(USERS)(
  'S1: a service that tries everything, of a node that is $name',
  ({ uid }) => {
    it('gets nothing in the sandbox that the table does not grant', () => {
      const { end, report, begun, said } = probe(uid, 'sandbox')
      expect(end, said.join('\n')).toMatchObject({ exitCode: 0 })
      // what the author's loader variables reach: the author's program, and none of ours before it
      expect(begun).toEqual(['node', '/bin/sh'].slice(0, begun.length))
      expect(report).toMatchObject({
        capabilities: [],
        noNewPrivileges: '1',
        environment: ['BASH_ENV', 'HOME', 'LANG', 'LD_DEBUG', 'NAMED', 'NODE_OPTIONS', 'PATH', 'TMPDIR'],
        descriptors: [],
        openFiles: [],
        umask: '22',
        writableKernel: [],
        writableProc: [],
        readable: [],
        places: ['/work', '/tmp'],
        mounted: '',
        sockets: [],
      })
      expect(['PWD', 'OLDPWD', 'SHLVL', '_']).toEqual(expect.arrayContaining(report.firstEnvironment))
      expect(report.uid).toBeGreaterThan(999)
      expect(report.processes).toBeLessThan(5)
      // where no cgroup counts memory, there is none that the watch does not see
      if (uid !== 0 && existsSync('/usr/bin/perl')) expect(report.memoryFile).toBe('-1')
      expect(report.files).toBeGreaterThan(1000)
      expect(report.files).toBeLessThanOrEqual(65_536)
    })

    it('gets nothing under the permission model that is not said', () => {
      const { end, report, begun, unenforcedLimits, said } = probe(uid, 'permission')
      expect(end, said.join('\n')).toMatchObject({ exitCode: 0 })
      // what the author says is set when the loader and Node's options are done
      expect(begun).toEqual([])
      expect(report).toMatchObject({
        environment: ['BASH_ENV', 'HOME', 'LANG', 'LD_DEBUG', 'NAMED', 'NODE_OPTIONS', 'TMPDIR'],
        firstEnvironment: [],
        descriptors: [],
        openFiles: [],
        writableKernel: [],
        writableProc: [],
        readable: [],
        places: [],
        mounted: '',
      })
      // the network of the machine, which is said
      expect(['1.1.1.1:53']).toEqual(expect.arrayContaining(report.sockets))
      expect(report.uid).toBeGreaterThan(999)
      const disk = uid === 0 ? 'disk: memory, beside the memory grant' : 'disk: watched'
      expect(unenforcedLimits).toEqual(
        expect.arrayContaining(["network: open where ports are declared, with this machine's sockets", disk]),
      )
    })
  },
)

describe.skipIf(!needs('root') || !needs('engine')).each(USERS)(
  'S1: a service that tries everything, in Docker, of a node that is $name',
  ({ uid }) => {
    it('gets nothing that its container does not grant', async () => {
      const { end, report, begun, said } = probe(uid, 'docker', uid === 0 ? 0 : (await stat(SOCKET)).gid)
      expect(end, said.join('\n')).toMatchObject({ exitCode: 0 })
      // the engine starts the author's program: what is the author's reaches that, and no other
      expect(begun.every((program: string) => ['node', '/bin/sh'].includes(program))).toBe(true)
      expect(report).toMatchObject({
        capabilities: [],
        noNewPrivileges: '1',
        descriptors: [],
        writableKernel: [],
        writableProc: [],
        readable: [],
        places: ['/work', '/tmp'],
        mounted: '',
        sockets: [],
      })
      // runs of a node that is not root share a user, nobody
      expect(report.uid).toBe(uid === 0 ? 61_200 : 65_534)
      expect(report.environment).not.toContain('LEAKED')
      expect(report.files).toBeGreaterThan(1000)
      expect(report.files).toBeLessThanOrEqual(65_536)
    })
  },
)
