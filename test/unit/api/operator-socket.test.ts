import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createApiClient, serveOperator } from '../../../src/api/index.ts'
import { systemClock } from '../../../src/base/clock.ts'
import { silentLog } from '../../../src/base/log.ts'
import { apiInMemory } from './harness.ts'

test('the operator reaches the node again within a minute of somebody removing the folder of its socket', async () => {
  await using stack = new AsyncDisposableStack()
  const root = await mkdtemp(join(tmpdir(), 'tc-operator-'))
  stack.defer(() => rm(root, { recursive: true, force: true }))
  using it = apiInMemory()
  let prepared = 0
  const prepare = async () => void prepared++
  const folder = join(root, 'api')
  const socket = stack.use(await serveOperator(it.api, folder, { clock: it.clock, log: silentLog(), prepare }))
  const client = createApiClient({ url: 'http://localhost', socketPath: socket.path, clock: systemClock() })
  expect((await client.health()).ok).toBe(true)
  await it.clock.advance(60_000)
  expect(prepared).toBe(0)

  await rm(folder, { recursive: true })
  await expect(client.health()).rejects.toThrow(/no node answers at .*api\.sock/)
  await it.clock.advance(60_000)
  await expect
    .poll(() =>
      client.health().then(
        ({ ok }) => ok,
        () => false,
      ),
    )
    .toBe(true)
  expect(prepared).toBe(1)
})
