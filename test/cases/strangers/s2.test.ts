import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { hostileShell } from '../../fixtures/process/hostile-shell.ts'
import { needs } from '../../require.ts'

const LAUNCHES = fileURLToPath(new URL('../../fixtures/process/node-launches.ts', import.meta.url))
/** What a process makes for itself, or gets from the node. */
const OWN = /^(pipe|socket|anon_inode):|^\/dev\/null$/

describe.skipIf(!needs('bubblewrap'))('S2: what a node and the shell that it was started from have', () => {
  it('reaches neither a runner of the operator nor a run', () => {
    const args = hostileShell(process.execPath, ['--conditions=thundercloud-source', LAUNCHES])
    const env = { PATH: process.env.PATH ?? '', HOME: '/tmp' }
    const { stdout, stderr } = spawnSync('/bin/bash', args, { encoding: 'utf8', env })
    expect(stdout, stderr).toMatch(/^\{/)
    const { node, runner, service } = JSON.parse(stdout)
    // the node has it all: files of its database, of its shell, and variables
    expect(node.environment).toEqual(expect.arrayContaining(['NODE_OPTIONS', 'LD_PRELOAD', 'BASH_ENV', 'LEAKED']))
    for (const file of [/network\/LOCK$/, /hostile-shell/]) {
      expect(node.descriptors).toEqual(expect.arrayContaining([expect.stringMatching(file)]))
    }
    expect(runner).toMatchObject({ environment: [], first: '', files: [] })
    expect(runner.descriptors.filter((to: string) => !OWN.test(to))).toEqual([])
    expect(service.environment).toEqual(['HOME', 'LANG', 'PATH', 'TMPDIR'])
    const leaks = service.descriptors.filter((line: string) => !OWN.test(line.slice(line.indexOf(' ') + 1)))
    // its own look at them
    expect(leaks.filter((line: string) => !/ \/proc\/\d+\/fd$/.test(line))).toEqual([])
  })
})
