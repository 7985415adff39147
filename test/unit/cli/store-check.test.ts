import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import { checkExecutors } from '../../../src/cli/checks/machine.ts'
import { checkStore } from '../../../src/cli/checks/store.ts'
import { SOME_CODE } from '../../fixtures/trust/statements.ts'

let dataDir: string
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'tc-doctor-'))
})
afterEach(() => rm(dataDir, { recursive: true }))

const look = async () => {
  const configuration = { dataDir, quotas: { CODE_STORE: 1024 ** 3 } } as Parameters<typeof checkStore>[1]
  return await checkStore(systemClock(), configuration, AbortSignal.timeout(45_000))
}

describe('doctor on the code store', () => {
  test('says that there is none, and how much it may be', async () => {
    expect(await look()).toMatchObject({ outcome: 'ok', found: 'empty; at most 1 GiB (QUOTAS.CODE_STORE)' })
  })

  test('counts archives, bytes, files and links, and follows no link', async () => {
    const files = join(dataDir, 'code/codes', SOME_CODE.toString(), 'files')
    await mkdir(join(files, 'node_modules/.bin'), { recursive: true })
    await mkdir(join(dataDir, 'code/partial/x'), { recursive: true })
    await mkdir(join(dataDir, 'code/temp/in-1'), { recursive: true })
    await writeFile(join(files, 'a.js'), 'x'.repeat(1000))
    await symlink('../../a.js', join(files, 'node_modules/.bin/a'))
    const good = await look()
    expect(good.outcome).toBe('ok')
    expect(good.found).toMatch(
      /^1 archive, 1000 B of 1 GiB, \d+ files and folders; 1 fetched in part; 1 link inside its archive; 1 left by a crash/,
    )
    // out of the archive, absolute, to another link, to nothing, and beside the archive
    await symlink('../../../../../..', join(files, 'up'))
    await symlink('/etc/passwd', join(files, 'abs'))
    await symlink('node_modules/.bin/a', join(files, 'chain'))
    await symlink('gone', join(files, 'dangling'))
    await symlink('/', join(dataDir, 'code/codes/root'))
    const bad = await look()
    expect(bad).toMatchObject({ outcome: 'warn', advice: expect.stringContaining('remove those folders of') })
    expect(bad.found).toMatch(/5 links that no archive holds: /)
    for (const name of ['up', 'abs', 'chain', 'dangling', 'root']) expect(bad.found).toContain(name)
  })
})

test('doctor without a folder asks the engine that DOCKER_HOST names, and says so', async () => {
  const socket = join(dataDir, 'none.sock')
  const checks = await checkExecutors(systemClock(), undefined, {
    env: { DOCKER_HOST: `unix://${socket}`, XDG_RUNTIME_DIR: dataDir },
    signal: AbortSignal.timeout(45_000),
  })
  const { outcome, found } = checks.find(({ what }) => what === 'Docker engine') ?? {}
  expect([outcome, found]).toEqual(['warn', expect.stringContaining(socket)])
  expect(found).toContain('DOCKER_HOST')
})
