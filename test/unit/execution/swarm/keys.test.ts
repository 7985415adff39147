import { readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { createLauncherKeys } from '../../../../src/execution/swarm/keys.ts'
import { system } from '../../../fixtures/system.ts'
import { tempDir } from '../../../fixtures/temp-dir.ts'

it('each launcher has a key of its own, the same after a restart, from a secret that only its owner reads', async () => {
  const keyFile = join(await tempDir(), 'swarm-key')
  const keys = createLauncherKeys(system, { keyFile })
  const [one, other] = await Promise.all([keys.of('one'), keys.of('other')])
  expect(one).toHaveLength(32)
  expect(one).not.toEqual(other)
  expect(await createLauncherKeys(system, { keyFile }).of('one')).toEqual(one)
  expect((await stat(keyFile)).mode & 0o777).toBe(0o600)
})

it('uses no secret that is not whole, and says what to do', async () => {
  const keyFile = join(await tempDir(), 'swarm-key')
  for (const bytes of [0, 31, 33]) {
    await writeFile(keyFile, Buffer.alloc(bytes))
    await expect(createLauncherKeys(system, { keyFile }).of('one')).rejects.toThrow(
      `swarm-key holds ${bytes} bytes, and the node's secret for its launchers has 32: restore the file`,
    )
  }
})

it('leaves no secret where it cannot be made whole, and makes one later', async () => {
  const dir = await tempDir()
  const keyFile = join(dir, 'swarm-key')
  const failing = {
    ...system.rng,
    bytes: () => {
      throw new Error('ENOSPC')
    },
  }
  await expect(createLauncherKeys({ rng: failing }, { keyFile }).of('one')).rejects.toThrow('ENOSPC')
  expect(await readdir(dir)).toEqual([])
  const made = await createLauncherKeys(system, { keyFile }).of('one')
  expect(await readdir(dir)).toEqual(['swarm-key'])
  expect(await createLauncherKeys(system, { keyFile }).of('one')).toEqual(made)
})
