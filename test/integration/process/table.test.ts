import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { startPiped, startProcess } from '../../../src/process/index.ts'
import { PROCESSES, type ProcessRule } from '../../../src/process/kinds.ts'
import { reportOf, usersHere } from '../../fixtures/process/report.ts'
import { needs } from '../../require.ts'

const KINDS = Object.entries(PROCESSES as Readonly<Record<string, ProcessRule>>)

describe('the table of processes', () => {
  it.each(KINDS)('is in docs/processes.md: %s', (kind, rule) => {
    const { what, reads, environment, descriptors, cwd, umask, files, memory, user } = rule
    const list = (items: readonly string[]) => (items.length === 0 ? 'none' : items.join(', ').replaceAll('*', '\\*'))
    const mask = umask.toString(8).padStart(3, '0')
    const row = [
      kind,
      what,
      reads,
      list(environment),
      list(descriptors),
      cwd,
      mask,
      files,
      memory === undefined ? 'no limit' : `${memory} MiB`,
      user,
    ]
    const text = readFileSync(new URL('../../../docs/processes.md', import.meta.url), 'utf8')
    expect(text).toContain(`| ${row.join(' | ')} |`)
  })

  it.each(usersHere(needs('root')))('holds whatever the shell of user %i has set, opened and ignored', (uid) => {
    const found = reportOf('process/process-walk.ts', { uid, gid: uid, hostile: true })
    expect(Object.keys(found)).toEqual(Object.keys(PROCESSES))
    for (const [kind, rule] of KINDS) {
      const named = rule.environment.includes('PATH') ? ['PATH'] : []
      expect(found[kind], kind).toEqual({
        environment: expect.toSatisfy((names: string[]) => names.sort().join() === named.join()),
        descriptors: Array.from({ length: 3 + rule.descriptors.length }, (_, index) => index),
        ...{ leaked: [], umask: rule.umask, core: '0', cwd: '/', complaints: '' },
        ...{ ignored: '0'.repeat(16), blocked: '0'.repeat(16) },
        files: expect.toSatisfy((most: number) => most <= rule.files),
        memory: rule.memory === undefined ? 'unlimited' : `${rule.memory * 1024}`,
      })
    }
  })

  it("runs no person's settings of a shell", async () => {
    const child = startPiped({ kind: 'tool', program: '/usr/bin/true', args: [] })
    expect(await text(child.stderr)).toBe('')
  })

  it('gives no process root that reads bytes of strangers, but to a node of the demo', () => {
    for (const [kind, { reads, user }] of KINDS) if (reads !== 'nothing') expect(user, kind).not.toMatch(/root/)
  })

  it.skipIf(!needs('root') || !needs('bubblewrap'))('and as root none of them is root while it reads', () => {
    const found: Record<string, { command: string; uids: string }[]> = reportOf('process/process-users.ts')
    // nodes that a person starts to try something are that person's: they hear one another alone
    const own = ['node', 'live']
    const readers = KINDS.flatMap(([kind, { reads }]) => (reads === 'nothing' || own.includes(kind) ? [] : [kind]))
    expect(Object.keys(found).sort()).toEqual(readers.sort())
    for (const [kind, processes] of Object.entries(found)) {
      expect(processes, kind).not.toEqual([])
      for (const { command, uids } of processes) expect(uids, `${kind}: ${command}`).not.toMatch(/\b0\b/)
    }
  })

  it('starts nothing by a name that PATH decides, and no more descriptors than the row has', () => {
    const named = { kind: 'tool', program: 'ldd', args: [] } as const
    expect(() => startProcess(named, { stdio: ['ignore'] })).toThrow('absolute path')
    const spec = { kind: 'tool', program: '/bin/sh', args: [] } as const
    expect(() => startProcess(spec, { stdio: ['ignore', 'pipe', 'pipe', 'pipe'] })).toThrow('3 descriptors at most')
  })
})

it('a process that has no descriptor left starts none, and lives on', async () => {
  const fixture = fileURLToPath(new URL('../../fixtures/process/no-descriptors.ts', import.meta.url))
  const node = [process.execPath, '--conditions=thundercloud-source', fixture]
  const { stdout } = await promisify(execFile)('sh', ['-c', 'ulimit -n 64; exec "$@"', 'sh', ...node])
  expect(stdout).toBe('no process of the kind "tool" can be started: too many files are open\n')
})
