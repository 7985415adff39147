import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { needs } from '../../require.ts'

const SCRIPT = fileURLToPath(new URL('../../fixtures/process/other-user.ts', import.meta.url))
const USER = { uid: 1000, gid: 1000, env: { PATH: process.env.PATH ?? '', HOME: '/tmp' } }

/** The repository may lie where no other user may look. */
const readable = () =>
  spawnSync(process.execPath, ['-e', `require('fs').readFileSync(${JSON.stringify(SCRIPT)})`], USER).status === 0

describe.skipIf(!needs('bubblewrap') || !needs('root') || !readable())('a node that is not root', () => {
  it('runs services in a sandbox all the same', () => {
    const { stdout, stderr } = spawnSync(process.execPath, ['--conditions=thundercloud-source', SCRIPT], {
      ...USER,
      encoding: 'utf8',
    })
    expect(stderr).toBe('')
    const report = JSON.parse(stdout)
    expect(report).toMatchObject({
      available: true,
      memory: 'memory',
      answer: 'hello',
      writable: ['/work', '/tmp'],
      left: [],
    })
    expect(report.unenforcedLimits).toEqual(expect.arrayContaining(['memory: watched', 'cpu: not limited']))
    expect(report.status).toMatch(/^Uid:\t65534\t/m)
    for (const name of ['CapEff', 'CapPrm', 'CapBnd'])
      expect(report.status).toMatch(new RegExp(`^${name}:\\t0{16}$`, 'm'))
    expect(report.status.endsWith('\nlo')).toBe(true)
  })
})
