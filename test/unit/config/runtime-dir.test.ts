import { chmod, chown, mkdir, stat, symlink, writeFile } from 'node:fs/promises'
import { describe, expect } from 'vitest'
import { MAX_RUNTIME_DIR_BYTES, openRuntimeDir } from '../../../src/config/runtime-dir.ts'
import { folder, it } from '../../fixtures/config/folder.ts'
import { needs } from '../../require.ts'

const LONG = 'x'.repeat(MAX_RUNTIME_DIR_BYTES)

const opening = (configured: string) => openRuntimeDir({ configured, tmp: '/tmp' }, 'abc')

describe('the folder of sockets', () => {
  it('is made where RUNTIME says, for this user alone', async ({ temp }) => {
    const path = await opening(temp.in('run'))
    expect(path).toBe(temp.in('run', 'abc'))
    expect((await stat(path)).mode & 0o066).toBe(0)
  })

  it('is used again as it stands', async ({ temp }) => {
    expect(await opening(temp.in('run'))).toBe(await opening(temp.in('run')))
  })

  it('refuses a folder that lets others in', async ({ temp }) => {
    await mkdir(temp.in('run'))
    await chmod(temp.in('run'), 0o777)
    await expect(opening(temp.in('run'))).rejects.toThrow(
      `${temp.in('run')}, the folder for this node's sockets, lets other users in (mode 0777): remove it, or name another one as RUNTIME in node.json`,
    )
  })

  it.skipIf(!needs('root'))('refuses a folder of another user', async () => {
    await using temp = await folder()
    await mkdir(temp.in('run'), { mode: 0o700 })
    await chown(temp.in('run'), 1234, 1234)
    await expect(opening(temp.in('run'))).rejects.toThrow('belongs to user 1234')
  })

  it('refuses a link, and what is no folder', async ({ temp }) => {
    await mkdir(temp.in('elsewhere'), { mode: 0o700 })
    await symlink(temp.in('elsewhere'), temp.in('run'))
    await expect(opening(temp.in('run'))).rejects.toThrow('is no folder')
    await writeFile(temp.in('file'), '')
    await expect(opening(temp.in('file'))).rejects.toThrow(/is no folder/)
  })

  it('a RUNTIME that is too long is named with its key', async () => {
    await expect(opening(`/tmp/${LONG}`)).rejects.toThrow(
      /has 95 bytes, and at most 86 fit: name a shorter folder as RUNTIME in node\.json/,
    )
  })
})
