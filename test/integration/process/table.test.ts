import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { startProcess } from '../../../src/process/index.ts'
import { PROCESSES, type ProcessRule } from '../../../src/process/kinds.ts'
import { hostileShell } from '../../fixtures/process/hostile-shell.ts'
import { needs } from '../../require.ts'

const WALK = fileURLToPath(new URL('../../fixtures/process/process-walk.ts', import.meta.url))
const USERS = fileURLToPath(new URL('../../fixtures/process/process-users.ts', import.meta.url))
const KINDS = Object.entries(PROCESSES as Readonly<Record<string, ProcessRule>>)

describe('the table of processes', () => {
  it.each(KINDS)('is in docs/processes.md: %s', (kind, rule) => {
    const { what, reads, environment, descriptors, cwd, umask, files, user } = rule
    const list = (items: readonly string[]) => (items.length === 0 ? 'none' : items.join(', ').replaceAll('*', '\\*'))
    const mask = umask.toString(8).padStart(3, '0')
    const row = [kind, what, reads, list(environment), list(descriptors), cwd, mask, files, user]
    const text = readFileSync(new URL('../../../docs/processes.md', import.meta.url), 'utf8')
    expect(text).toContain(`| ${row.join(' | ')} |`)
  })

  it.each([0, 1000].filter((uid) => uid === process.getuid?.() || needs('root')))(
    'holds whatever the shell of user %i has set, opened and ignored',
    (uid) => {
      const args = hostileShell(process.execPath, ['--conditions=thundercloud-source', WALK])
      const { stdout, stderr } = spawnSync('/bin/bash', args, {
        ...{ uid, gid: uid, encoding: 'utf8' },
        env: { PATH: process.env.PATH ?? '', HOME: '/tmp' },
      })
      expect(stdout, stderr).toMatch(/^\{/)
      const found = JSON.parse(stdout)
      expect(Object.keys(found)).toEqual(Object.keys(PROCESSES))
      for (const [kind, rule] of KINDS) {
        const named = rule.environment.includes('PATH') ? ['PATH'] : []
        expect(found[kind], kind).toEqual({
          environment: expect.toSatisfy((names: string[]) => names.sort().join() === named.join()),
          descriptors: Array.from({ length: 3 + rule.descriptors.length }, (_, index) => index),
          ...{ leaked: [], umask: rule.umask, core: '0', cwd: '/', complaints: '' },
          ...{ ignored: '0'.repeat(16), blocked: '0'.repeat(16) },
          files: expect.toSatisfy((most: number) => most <= rule.files),
        })
      }
    },
  )

  it('gives no process root that reads bytes of strangers, but to a node of the demo', () => {
    for (const [kind, { reads, user }] of KINDS) if (reads !== 'nothing') expect(user, kind).not.toMatch(/root/)
  })

  it.skipIf(!needs('root') || !needs('bubblewrap'))('and as root none of them is root while it reads', () => {
    const { stdout, stderr } = spawnSync(process.execPath, ['--conditions=thundercloud-source', USERS], {
      encoding: 'utf8',
    })
    expect(stdout, stderr).toMatch(/^\{/)
    const found: Record<string, { command: string; uids: string }[]> = JSON.parse(stdout)
    const readers = KINDS.flatMap(([kind, { reads }]) => (reads === 'nothing' || kind === 'node' ? [] : [kind]))
    expect(Object.keys(found).sort()).toEqual(readers.sort())
    for (const [kind, processes] of Object.entries(found)) {
      expect(processes, kind).not.toEqual([])
      for (const { command, uids } of processes) expect(uids, `${kind}: ${command}`).not.toMatch(/\b0\b/)
    }
  })

  it('starts nothing by a name that PATH decides, and no more descriptors than the row has', () => {
    expect(() => startProcess({ kind: 'tool', program: 'ldd', args: [] }, { stdio: ['ignore'] })).toThrow(
      'absolute path',
    )
    const spec = { kind: 'tool', program: '/bin/sh', args: [] } as const
    expect(() => startProcess(spec, { stdio: ['ignore', 'pipe', 'pipe', 'pipe'] })).toThrow('3 descriptors at most')
  })
})
