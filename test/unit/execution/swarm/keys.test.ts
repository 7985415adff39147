import { stat } from 'node:fs/promises'
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
