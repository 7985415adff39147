import { existsSync } from 'node:fs'
import { readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Key } from 'interface-datastore'
import { describe, expect, it } from 'vitest'
import type { Log } from '../../../src/base/log.ts'
import { openDatastore } from '../../../src/network/host/datastore.ts'
import { MIB } from '../../fixtures/execution/run-fixture.ts'
import { ORDINARY, reportOf, usersHere } from '../../fixtures/process/report.ts'
import { system } from '../../fixtures/system.ts'
import { tempDir } from '../../fixtures/temp-dir.ts'
import { needs } from '../../require.ts'

/** whoever may open it may use the engine */
const SOCKET = '/var/run/docker.sock'
const USERS = [
  { name: 'root', uid: 0 },
  { name: 'an ordinary user', uid: ORDINARY.uid },
]
/** What no run has, wherever it runs. */
const NOTHING = { descriptors: [], writableKernel: [], writableProc: [], readable: [], mounted: '' }

function probe(uid: number, mode: 'sandbox' | 'permission' | 'docker', gid = uid) {
  const probed = reportOf('execution/jail-run.ts', { args: [mode], hostile: true, uid, gid })
  expect(probed.end, probed.said.join('\n')).toMatchObject({ exitCode: 0 })
  expect(probed.report).toMatchObject(NOTHING)
  return probed
}

function expectLimitOfFiles({ files }: { files: number }) {
  expect(files).toBeGreaterThan(1000)
  expect(files).toBeLessThanOrEqual(65_536)
}

describe.skipIf(!needs('root') || !needs('bubblewrap')).each(USERS)(
  'S1: a service that tries everything, of a node that is $name',
  ({ uid }) => {
    it('gets nothing in the sandbox that the table does not grant', () => {
      const { report, begun } = probe(uid, 'sandbox')
      // what the author's loader variables reach: the author's program, and none of ours before it
      expect(begun).toEqual(['node', '/bin/sh'].slice(0, begun.length))
      expect(report).toMatchObject({
        ...{
          capabilities: [],
          noNewPrivileges: '1',
          openFiles: [],
          umask: '22',
          places: ['/work', '/tmp'],
          sockets: [],
        },
        environment: ['BASH_ENV', 'HOME', 'LANG', 'LD_DEBUG', 'NAMED', 'NODE_OPTIONS', 'PATH', 'TMPDIR'],
      })
      expect(['PWD', 'OLDPWD', 'SHLVL', '_']).toEqual(expect.arrayContaining(report.firstEnvironment))
      expect(report.uid).toBeGreaterThan(999)
      expect(report.processes).toBeLessThan(5)
      // where no cgroup counts memory, there is none that the watch does not see
      if (uid !== 0 && existsSync('/usr/bin/perl')) expect(report.memoryFile).toBe('-1')
      expectLimitOfFiles(report)
    })

    it('gets nothing under the permission model that is not said', () => {
      const { report, begun, unenforcedLimits } = probe(uid, 'permission')
      // what the author says is set when the loader and Node's options are done
      expect(begun).toEqual([])
      expect(report).toMatchObject({
        environment: ['BASH_ENV', 'HOME', 'LANG', 'LD_DEBUG', 'NAMED', 'NODE_OPTIONS', 'TMPDIR'],
        ...{ firstEnvironment: [], openFiles: [], places: [] },
      })
      // the network of the machine, which is said
      expect(['1.1.1.1:53']).toEqual(expect.arrayContaining(report.sockets))
      expect(report.uid).toBeGreaterThan(999)
      const disk = uid === 0 ? 'disk: memory, beside the memory grant' : 'disk: watched'
      const network = "network: open where ports are declared, with this machine's sockets"
      expect(unenforcedLimits).toEqual(expect.arrayContaining([network, disk]))
    })
  },
)

describe.skipIf(!needs('root') || !needs('engine')).each(USERS)(
  'S1: a service that tries everything, in Docker, of a node that is $name',
  ({ uid }) => {
    it('gets nothing that its container does not grant', async () => {
      const { report, begun } = probe(uid, 'docker', uid === 0 ? 0 : (await stat(SOCKET)).gid)
      // the engine starts the author's program: what is the author's reaches that, and no other
      expect(begun.every((program: string) => ['node', '/bin/sh'].includes(program))).toBe(true)
      const granted = { capabilities: [], noNewPrivileges: '1', places: ['/work', '/tmp'], sockets: [] }
      expect(report).toMatchObject(granted)
      // runs of a node that is not root share a user, nobody
      expect(report.uid).toBe(uid === 0 ? 61_200 : 65_534)
      expect(report.environment).not.toContain('LEAKED')
      expectLimitOfFiles(report)
    })
  },
)

/** What a process makes for itself, or gets from the node. */
const OWN = /^(pipe|socket|anon_inode):|^\/dev\/null$/

it.skipIf(!needs('bubblewrap'))(
  'S2: what a node and the shell that it was started from have reaches neither a runner of the operator nor a run',
  () => {
    const { node, runner, service } = reportOf('process/node-launches.ts', { hostile: true })
    // the node has it all: files of its database, of its shell, and variables
    expect(node.environment).toEqual(expect.arrayContaining(['NODE_OPTIONS', 'LD_PRELOAD', 'BASH_ENV', 'LEAKED']))
    for (const file of [/network\/LOCK$/, /process\/report/]) {
      expect(node.descriptors).toEqual(expect.arrayContaining([expect.stringMatching(file)]))
    }
    expect(runner).toMatchObject({ environment: [], first: '', files: [] })
    expect(runner.descriptors.filter((to: string) => !OWN.test(to))).toEqual([])
    expect(service.environment).toEqual(['HOME', 'LANG', 'PATH', 'TMPDIR'])
    const leaks = service.descriptors.filter((line: string) => !OWN.test(line.slice(line.indexOf(' ') + 1)))
    // its own look at them
    expect(leaks.filter((line: string) => !/ \/proc\/\d+\/fd$/.test(line))).toEqual([])
  },
)

it.each(usersHere(needs('root')))(
  'S11: without a sandbox, a node of user %i holds builds and services to their disk',
  (uid) => {
    const { within, work, ...others } = reportOf('process/permission-disk.ts', { uid, gid: uid })
    expect(within).toMatchObject({ exitCode: 0 })
    const excess = `wrote more than the ${8 * MIB} bytes or 16384 files of disk that were granted`
    for (const [name, end] of Object.entries(others)) expect(end, name).toMatchObject({ detail: `the build ${excess}` })
    // where the kernel holds it, a service meets a full disk; else it is ended
    if (uid === 0) expect(work).toMatchObject({ exitCode: 1, err: expect.stringContaining('ENOSPC') })
    else expect(work).toMatchObject({ detail: `the run ${excess}` })
  },
)

describe('S2: a database of peers that was overwritten', () => {
  it('is set aside with one line, and begun again', async () => {
    const dir = await tempDir()
    const data = join(dir, 'network')
    const key = new Key('/peers/one')
    {
      await using opened = await openDatastore(data, system)
      await opened.store.put(key, new Uint8Array([1]))
    }
    for (const name of await readdir(data)) {
      if (/^(MANIFEST|CURRENT|.*\.(log|ldb))/.test(name)) await writeFile(join(data, name), 'ruined by somebody')
    }
    const lines: string[] = []
    const log: Log = { ...system.log, warn: (message) => void lines.push(message) }
    await using opened = await openDatastore(data, { ...system, log })
    expect(lines).toEqual(['the records of peers could not be read: they are set aside, and new ones are kept'])
    expect(await opened.store.has(key)).toBe(false)
    expect((await readdir(dir)).sort()).toEqual(['network', 'network.ruined'])
  })

  it('is left alone while another node has it open', async () => {
    const dir = await tempDir()
    await using _first = await openDatastore(join(dir, 'network'), system)
    await expect(openDatastore(join(dir, 'network'), system)).rejects.toThrow()
    expect(await readdir(dir)).toEqual(['network'])
  })
})
