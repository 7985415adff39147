import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { MIB } from '../../fixtures/execution/run-fixture.ts'
import { needs } from '../../require.ts'

const DISKS = fileURLToPath(new URL('../../fixtures/process/permission-disk.ts', import.meta.url))

describe.each([0, 1000].filter((uid) => uid === process.getuid?.() || needs('root')))(
  'S11: without a sandbox, a node of user %i',
  (uid) => {
    it('holds builds and services to their disk', () => {
      const args = ['--conditions=thundercloud-source', DISKS]
      const { stdout, stderr } = spawnSync(process.execPath, args, { uid, gid: uid, encoding: 'utf8' })
      expect(stdout, stderr).toMatch(/^\{/)
      const { within, work, ...others } = JSON.parse(stdout)
      expect(within).toMatchObject({ exitCode: 0 })
      const room = `wrote more than the ${8 * MIB} bytes or 16384 files of disk that were granted`
      for (const [name, end] of Object.entries(others)) expect(end, name).toMatchObject({ detail: `the build ${room}` })
      // where the kernel holds it, a service meets a full disk; else it is ended
      if (uid === 0) expect(work).toMatchObject({ exitCode: 1, err: expect.stringContaining('ENOSPC') })
      else expect(work).toMatchObject({ detail: `the run ${room}` })
    })
  },
)
